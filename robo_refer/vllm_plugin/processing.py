"""RGBA images to tiles and placeholders, in the terms of vLLM's multi-modal processors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import BatchFeature
from vllm.multimodal.inputs import MultiModalFieldConfig
from vllm.multimodal.parse import MultiModalDataParser
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
    PromptUpdateDetails,
)

from robo_refer import chat
from robo_refer.model.tiled_processing import TiledProcessor, depth_picture
from robo_refer.tokens import IMAGE
from robo_refer.vllm_plugin.prompt import placeholders

# 4:3, of which both tilings make the most tiles.
_LARGEST = (480, 640, 4)


class KeepsAlpha(MultiModalDataParser):
    """vLLM's parser, which would otherwise paint an RGBA image onto white."""

    def _parse_image_data(self, data: Any) -> Any:
        items = data if isinstance(data, list) else [data]
        return super()._parse_image_data(
            [_pixels(item) if isinstance(item, Image.Image) else item for item in items]
        )


def _pixels(image: Image.Image) -> NDArray[np.uint8]:
    """Return (height, width, 3 or 4); of grey, palette and other modes the colour counts."""
    return np.asarray(image if image.mode in ("RGB", "RGBA") else image.convert("RGB"))


class RoboReferInfo(BaseProcessingInfo):
    """Limits of a prompt, and the checkpoint's own processor."""

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        return {"image": 1}

    def get_data_parser(self) -> MultiModalDataParser:
        return KeepsAlpha()

    @cached_property
    def tiled(self) -> TiledProcessor:
        return TiledProcessor.from_pretrained(self.ctx.model_config.model)


class RoboReferDummyInputs(BaseDummyInputsBuilder[RoboReferInfo]):
    """The largest input, by which vLLM sizes its memory."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        return IMAGE * mm_counts.get("image", 0)

    def get_dummy_mm_data(
        self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Any
    ) -> dict[str, Any]:
        return {"image": [np.zeros(_LARGEST, np.uint8)] * mm_counts.get("image", 0)}


class RoboReferProcessing(BaseMultiModalProcessor[RoboReferInfo]):
    """Cuts colour and depth into tiles and puts their placeholders in the prompt."""

    def _call_hf_processor(
        self, hf_data: Mapping[str, Any], hf_kwargs: Mapping[str, object]
    ) -> BatchFeature:
        """Return the tiles of all images, colour before depth, and how many there are of each."""
        pixels, grids, counts = [], [], []
        for image in hf_data.get("images", ()):
            array = np.asarray(image)
            seen = [self.info.tiled.tile(np.ascontiguousarray(array[..., :3]))]
            if array.shape[2] == 4:
                depth = np.repeat(array[..., 3:], 3, axis=2)
                seen.append(self.info.tiled.tile(depth_picture(depth)))
            pixels += [one.pixels for one in seen]
            grids.append(seen[0].grid)
            counts.append([len(one.pixels) for one in seen] + [0] * (2 - len(seen)))
        if not pixels:
            return BatchFeature({})
        return BatchFeature(
            {
                "pixel_values": torch.cat(pixels),
                "grids": torch.tensor(grids),
                "tile_counts": torch.tensor(counts),
            }
        )

    def _get_mm_fields_config(
        self, hf_inputs: BatchFeature, hf_processor_mm_kwargs: Mapping[str, object]
    ) -> Mapping[str, MultiModalFieldConfig]:
        counts = hf_inputs.get("tile_counts", torch.empty(0, 2, dtype=torch.long))
        return {
            "pixel_values": MultiModalFieldConfig.flat_from_sizes("image", counts.sum(dim=1)),
            "grids": MultiModalFieldConfig.batched("image", keep_on_cpu=True),
            "tile_counts": MultiModalFieldConfig.batched("image", keep_on_cpu=True),
        }

    def _get_prompt_updates(
        self, mm_items: Any, hf_processor_mm_kwargs: Mapping[str, object], out_mm_kwargs: Any
    ) -> Sequence[PromptReplacement]:
        tiled = self.info.tiled
        image, depth = tiled.tokenizer.convert_tokens_to_ids(["<image>", "<depth>"])

        def replacement(place: int) -> PromptUpdateDetails:
            item = out_mm_kwargs["image"][place]
            tiles, depth_tiles = item["tile_counts"].data.tolist()
            text = placeholders(tiled.spec, tiles, has_depth=bool(depth_tiles))
            ids = tiled.tokenizer(text, add_special_tokens=False)["input_ids"]
            features = tiled.features_of(tuple(item["grids"].data.tolist()))
            end = tiled.tokenizer("\n", add_special_tokens=False)["input_ids"]
            full = chat.expand(ids, {image: features, depth: features}, end)
            return PromptUpdateDetails.select_token_ids(full, [image, depth])

        return [PromptReplacement(modality="image", target=[image], replacement=replacement)]
