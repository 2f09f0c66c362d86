"""RoboReferProcessor: image, depth and text in; tensors for the model out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, PreTrainedTokenizerFast

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.model.frame_processor import FrameProcessor, Size, pixel_size
from robo_refer.preprocess import PreprocessSpec, depth_array, image_array
from robo_refer.types import FloatArray


class RoboReferProcessor(FrameProcessor):
    """nano's: the pixels come from `robo_refer.preprocess`, the functions of the ONNX engine.

    Args:
        tokenizer: a tokenizer that holds `robo_refer.tokens.all_added_tokens()`.
        spec: what the checkpoint's towers expect.
    """

    tokenizer_class = "PreTrainedTokenizerFast"
    tokenizer_type = PreTrainedTokenizerFast
    spec_type = PreprocessSpec
    spec_file = files.PREPROCESS
    spec: PreprocessSpec

    def __call__(
        self,
        images: Sequence[np.ndarray[Any, Any]],
        text: Sequence[str],
        depth: Sequence[FloatArray | None] | None = None,
        reason: bool = False,
        **kwargs: Any,
    ) -> BatchFeature:
        """Return input_ids, attention_mask, pixel_values, depth_values, depth_mask.

        Args:
            images: one (height, width, 3) uint8 image per sample.
            text: one instruction per sample.
            depth: one (height, width) map in metres, or None, per sample.
            reason: ask for written reasoning.
        """
        depth = depth if depth is not None else [None] * len(images)
        prompts = [
            self.prompt(asked, pixel_size(image), None if m is None else pixel_size(m), reason)
            for asked, image, m in zip(text, images, depth, strict=True)
        ]
        batch = self.tokenizer.pad(
            {"input_ids": prompts}, padding=True, padding_side="left", return_tensors="pt"
        )
        empty = np.zeros((3, self.spec.height, self.spec.width), np.float32)
        maps = [empty if m is None else depth_array(m, self.spec) for m in depth]
        return BatchFeature(
            {
                "input_ids": batch["input_ids"],
                "attention_mask": batch["attention_mask"],
                "pixel_values": torch.from_numpy(
                    np.stack([image_array(image, self.spec) for image in images])
                ),
                "depth_values": torch.from_numpy(np.stack(maps)),
                "depth_mask": torch.tensor([m is not None for m in depth]),
            }
        )

    def prompt(
        self, instruction: str, image_px: Size, depth_px: Size | None = None, reason: bool = False
    ) -> list[int]:
        """See `FrameProcessor.prompt`; whatever their sizes, images become as many tokens."""
        written = tokens.prompt(
            instruction,
            image_tokens=self.spec.image_tokens,
            depth_tokens=0 if depth_px is None else self.spec.depth_tokens,
            reason=reason,
        )
        ids: list[int] = self.tokenizer(written, add_special_tokens=False)["input_ids"]
        return ids
