"""A checkpoint of ours -> the released layout, as the original code and its transformers read it.

Names of fields are those of transformers 4.49, which the original code pins.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from transformers import AutoConfig, PretrainedConfig

from robo_refer import checkpoint_files as files
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.released.layout import LLM, PARTS, PROJECTORS, released_name
from robo_refer.model.released.output import Conversion, new_folder
from robo_refer.model.released.tokenizer_files import write_tokenizer
from robo_refer.model.released.weights import (
    Outgoing,
    StoredTensor,
    bad_checkpoint,
    stored_tensors,
    write_weights,
)
from robo_refer.tiling import TilingSpec

_ENCODER = json.dumps({"_target_": "llava.model.encoders.BasicImageEncoder"})
_TORCH_DTYPES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}


def restore(source: Path, out: Path) -> Conversion:
    """Write a checkpoint of ours in the released layout; `out` appears only when it is whole.

    Args:
        source: folder of a converted, or further trained, 2B or 8B.
        out: new folder.

    Raises:
        RoboReferError: BAD_CHECKPOINT when the source is no such checkpoint; BAD_FILE when `out`
            exists.
    """
    if not (source / files.TILING).is_file():
        raise bad_checkpoint(
            f"{source} has no {files.TILING}: it is no converted 2B or 8B.",
            "The released layout has no place for other models.",
        )
    config, spec = _read_configuration(source)
    parts: dict[str, list[Outgoing]] = defaultdict(list)
    dtypes: dict[str, str] = {}
    for name, tensor in stored_tensors(source).items():
        part, released = released_name(name)
        parts[part].append(_outgoing(released, tensor))
        dtypes[part] = _TORCH_DTYPES[tensor.dtype]
    lacking = [part for part in PARTS if part not in parts]
    if lacking:
        raise bad_checkpoint(f"{source} has no weights for {', '.join(lacking)}.", "Copy it again.")
    configs = _part_configs(config, dtypes)
    with new_folder(out) as folder:
        for part, outgoing in parts.items():
            (folder / part).mkdir()
            write_weights(folder / part, outgoing)
            _write_json(folder / part / "config.json", configs[part])
        for tower in ("vision_tower", "depth_tower"):
            _write_json(folder / tower / "preprocessor_config.json", _image_processor(spec))
        write_tokenizer(source, folder / LLM, spec.max_length)
        _write_json(folder / "config.json", _top_config(config, spec, configs))
    everything = [tensor for outgoing in parts.values() for tensor in outgoing]
    return Conversion(len(everything), sum(tensor.size_bytes for tensor in everything))


def _read_configuration(source: Path) -> tuple[RoboReferConfig, TilingSpec]:
    try:
        config = AutoConfig.from_pretrained(source)
        spec = TilingSpec.from_dict(json.loads((source / files.TILING).read_text()))
    except Exception as error:  # each library has its own exceptions for a broken file
        raise bad_checkpoint(
            f"The configuration in {source} cannot be read: {' '.join(str(error).split())}.",
            "Copy it again.",
        ) from error
    if not isinstance(config, RoboReferConfig) or _form(config) not in PROJECTORS.values():
        raise bad_checkpoint(
            f"The configuration in {source} is not that of a converted 2B or 8B.",
            "The released layout has no place for other models.",
        )
    return config, spec


def _form(config: RoboReferConfig) -> tuple[int, bool]:
    return config.merge, config.projector_norm


def _outgoing(name: str, tensor: StoredTensor) -> Outgoing:
    if tensor.dtype not in _TORCH_DTYPES:
        raise bad_checkpoint(
            f"{tensor.name} holds {tensor.dtype} numbers.", "Give it as it was before quantising."
        )
    size = _ITEM_BYTES[tensor.dtype]
    for side in tensor.shape:
        size *= side
    return Outgoing(name, size, tensor.read)


def _part_configs(config: RoboReferConfig, dtypes: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the `config.json` of every part, with the names that transformers 4.49 knows."""
    kind = next(name for name, known in PROJECTORS.items() if known == _form(config))
    projector = {
        "architectures": ["MultimodalProjector"],
        "mm_projector_type": kind,
        "model_type": "v2l_projector",
    }
    configs = {
        LLM: _language_config(config.text_config),
        "vision_tower": _tower_config(config.vision_config),
        "depth_tower": _tower_config(config.depth_config),
        "mm_projector": projector,
        "depth_projector": projector,
    }
    return {part: {**fields, "torch_dtype": dtypes[part]} for part, fields in configs.items()}


def _language_config(config: PretrainedConfig) -> dict[str, Any]:
    """Return a Qwen2 configuration; 4.49 has the base of RoPE as a field of its own."""
    fields = _fields(config, "Qwen2ForCausalLM")
    rope = dict(fields.pop("rope_parameters"))
    fields["rope_theta"] = rope.pop("rope_theta")
    fields["rope_scaling"] = None if rope.get("rope_type", "default") == "default" else rope
    fields.pop("layer_types", None)
    return fields


def _tower_config(config: PretrainedConfig) -> dict[str, Any]:
    return _fields(config, "SiglipVisionModel")


def _fields(config: PretrainedConfig, architecture: str) -> dict[str, Any]:
    fields = config.to_dict()
    for newer in ("dtype", "_name_or_path", "transformers_version"):
        fields.pop(newer, None)
    return {**fields, "architectures": [architecture]}


def _image_processor(spec: TilingSpec) -> dict[str, Any]:
    return {
        "do_convert_rgb": None,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5] * 3,
        "image_processor_type": "SiglipImageProcessor",
        "image_std": [0.5] * 3,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"height": spec.tile_px, "width": spec.tile_px},
    }


def _top_config(
    config: RoboReferConfig, spec: TilingSpec, configs: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Return the top-level `config.json`: what steers inference, and a copy of every part's."""
    s2 = spec.tiling == "dynamic_s2"
    width = config.vision_config.hidden_size
    fields: dict[str, Any] = {
        "architectures": ["LlavaLlamaModel"],
        "model_type": "llava_llama",
        "image_aspect_ratio": spec.tiling,
        "dynamic_s2": s2,
        "s2": False,
        "min_tiles": spec.min_tiles,
        "max_tiles": spec.max_tiles,
        "mm_hidden_size": width * max(1, len(config.s2_scales)),
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "mm_vision_select_feature": "cls_patch",
        "mm_vision_select_layer": config.feature_layer,
        "hidden_size": config.text_config.hidden_size,
        "enable_depth": True,
        "use_depth_tower": True,
        # Fields of training and of video, at the values that the released files have.
        "fps": 0.0,
        "interpolate_mode": "linear",
        "num_video_frames": 8,
        "vision_resolution": -1,
        "image_encoder": _ENCODER,
        "depth_encoder": _ENCODER,
    }
    if s2:
        fields |= {
            "s2_scales": ",".join(str(scale) for scale in config.s2_scales),
            "s2_max_split_size": spec.tile_px,
            "s2_resize_output_to_scale_idx": -1,
        }
    return fields | {f"{part}_cfg": told for part, told in configs.items()}


def _write_json(path: Path, fields: dict[str, Any]) -> None:
    path.write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n", encoding="utf-8")
