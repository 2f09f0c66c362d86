"""The released layout: its folders, the names of its tensors, and its configuration.

A released checkpoint is a folder for each part with `config.json` and safetensors, and a top-level
`config.json` (model type `llava_llama`, as VILA and NVILA write it) that says how they are joined.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.released.weights import bad_checkpoint
from robo_refer.tiling import TilingSpec

LLM = "llm"
PARTS = {
    "vision_tower": "model.vision_tower.",
    "depth_tower": "model.depth_tower.",
    "mm_projector": "model.vision_projector.",
    "depth_projector": "model.depth_projector.",
    LLM: "",
}
"""Folder of a part -> prefix of its tensors in our model."""

RGB_OF_DEPTH = {"depth_tower": "vision_tower", "depth_projector": "mm_projector"}
"""Part that sees depth -> part of the same form that sees colour."""

PROJECTORS = {
    "mlp_downsample": (2, False),
    "mlp_downsample_2x2_fix": (2, False),
    "mlp_downsample_3x3_fix": (3, True),
}
"""Projector type -> our `merge` and `projector_norm`. The first two compute the same."""

_LAYOUT_REMEDY = (
    "Give the folder of a released RoboRefer or NVILA checkpoint: config.json, llm/, "
    "vision_tower/, mm_projector/ and, for RoboRefer, depth_tower/ and depth_projector/."
)
_CODE_REMEDY = "Only NVILA-Lite (dynamic, 3x3) and NVILA (dynamic_s2, 2x2) are known here."


def our_name(part: str, name: str) -> str:
    """Return what our model calls a tensor of a released part."""
    if part == LLM:
        if name.startswith("model."):
            return "model.language_model." + name.removeprefix("model.")
        return name
    if part.endswith("tower"):
        return PARTS[part] + name.removeprefix("vision_model.")
    layer, _, rest = name.removeprefix("layers.").partition(".")
    # The released projectors count the merging of patches, which has no weights, as layer 0.
    return f"{PARTS[part]}layers.{int(layer) - 1}.{rest}" if layer.isdigit() else name


def released_name(name: str) -> tuple[str, str]:
    """Return the released part and its name for a tensor of our model: `our_name` undone."""
    for part, prefix in PARTS.items():
        if part != LLM and name.startswith(prefix):
            rest = name.removeprefix(prefix)
            if part.endswith("tower"):
                return part, f"vision_model.{rest}"
            layer, _, rest = rest.removeprefix("layers.").partition(".")
            return part, f"layers.{int(layer) + 1}.{rest}"
    return LLM, name.replace("model.language_model.", "model.", 1)


@dataclass(frozen=True)
class Layout:
    """What a released checkpoint is.

    Attributes:
        config: the same for our architecture, without token ids.
        tiling: how it cuts images.
        has_depth: whether it has a depth tower and projector of its own.
    """

    config: RoboReferConfig
    tiling: TilingSpec
    has_depth: bool


def read_layout(folder: Path) -> Layout:
    """Return what the configuration files of a released checkpoint say.

    Raises:
        RoboReferError: BAD_CHECKPOINT when files are missing or say what this architecture is not.
    """
    top = _json(folder / "config.json")
    if not str(top.get("model_type", "")).startswith("llava"):
        raise bad_checkpoint(
            f"{folder / 'config.json'} is of model type {top.get('model_type')!r}.",
            _LAYOUT_REMEDY,
        )
    try:
        return _layout(folder, top)
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # lacking, or of no sense
        raise bad_checkpoint(
            f"{folder / 'config.json'} is wrong ({type(error).__name__}: {error}).",
            "Download it again.",
        ) from error


def _layout(folder: Path, top: Mapping[str, Any]) -> Layout:
    has_depth = bool(top.get("enable_depth")) and bool(top.get("use_depth_tower"))
    if top.get("enable_depth") and not has_depth:
        raise bad_checkpoint("Its depth goes through the RGB tower.", _CODE_REMEDY)
    _refuse_unknown(top)
    vision = _sub_config(folder / "vision_tower", "siglip_vision_model")
    text = _sub_config(folder / LLM, "qwen2")
    depth = _sub_config(folder / "depth_tower", "siglip_vision_model") if has_depth else vision
    merge, norm = _projector(folder / "mm_projector")
    if has_depth and _projector(folder / "depth_projector") != (merge, norm):
        raise bad_checkpoint("Its two projectors are of different types.", _CODE_REMEDY)
    s2 = top["image_aspect_ratio"] == "dynamic_s2"
    scales = tuple(sorted(int(scale) for scale in top["s2_scales"].split(","))) if s2 else ()
    config = RoboReferConfig(
        vision_config=vision,
        depth_config=depth,
        text_config=text,
        feature_layer=int(top["mm_vision_select_layer"]),
        merge=merge,
        projector_norm=norm,
        s2_scales=scales,
    )
    side = -(-(vision.image_size // vision.patch_size) // merge)
    tiling = TilingSpec(
        tiling=top["image_aspect_ratio"],
        tile_px=vision.image_size,
        tile_tokens=side * side,
        min_tiles=int(top.get("min_tiles", 1)),
        max_tiles=int(top.get("max_tiles", 12)),
        scales_px=scales,
        max_length=_max_length(folder / LLM, text),
    )
    return Layout(config, tiling, has_depth)


def _refuse_unknown(top: Mapping[str, Any]) -> None:
    """Raise BAD_CHECKPOINT for what the released code could be told and ours could not."""
    expected: dict[str, tuple[Any, ...]] = {
        "image_aspect_ratio": ("dynamic", "dynamic_s2"),
        "mm_vision_select_feature": ("cls_patch",),
        "mm_use_im_start_end": (False, None),
        "mm_use_im_patch_token": (False, None),
    }
    if top.get("image_aspect_ratio") == "dynamic_s2":
        expected["s2_resize_output_to_scale_idx"] = (-1,)
    for key, known in expected.items():
        if top.get(key) not in known:
            raise bad_checkpoint(f"Its {key} is {top.get(key)!r}.", _CODE_REMEDY)
    for key in ("image_encoder", "depth_encoder"):
        told = top.get(key) or {}
        told = json.loads(told) if isinstance(told, str) else told
        if set(told) - {"_target_"} or not str(told.get("_target_", "BasicImageEncoder")).endswith(
            "BasicImageEncoder"
        ):
            raise bad_checkpoint(f"Its {key} is {told!r}.", _CODE_REMEDY)


def _projector(folder: Path) -> tuple[int, bool]:
    kind = _json(folder / "config.json").get("mm_projector_type")
    if kind not in PROJECTORS:
        raise bad_checkpoint(
            f"The projector in {folder} is of type {kind!r}.",
            f"Known are {', '.join(PROJECTORS)}.",
        )
    return PROJECTORS[kind]


def _sub_config(folder: Path, model_type: str) -> PretrainedConfig:
    fields = _json(folder / "config.json")
    if fields.get("model_type") != model_type:
        raise bad_checkpoint(
            f"{folder} is of model type {fields.get('model_type')!r}, not {model_type}.",
            _CODE_REMEDY,
        )
    for noise in ("model_type", "_name_or_path", "architectures", "transformers_version"):
        fields.pop(noise, None)
    try:
        return AutoConfig.for_model(model_type, **fields)
    except Exception as error:  # transformers validates every field in its own way
        raise bad_checkpoint(
            f"{folder / 'config.json'} is wrong: {' '.join(str(error).split())}.",
            "Download it again.",
        ) from error


def _max_length(folder: Path, text: PretrainedConfig) -> int:
    told = _json(folder / "tokenizer_config.json").get("model_max_length")
    longest = int(text.max_position_embeddings)
    return min(int(told), longest) if told else longest


def _json(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise bad_checkpoint(f"There is no {path}.", _LAYOUT_REMEDY) from None
    except ValueError:
        raise bad_checkpoint(f"{path} is no JSON.", "Download it again.") from None
    if not isinstance(fields, dict):
        raise bad_checkpoint(f"{path} holds no JSON object.", "Download it again.")
    return fields
