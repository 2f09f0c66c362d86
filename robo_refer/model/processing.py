"""RoboReferProcessor: image, depth and text in; tensors for the model out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerFast

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.model.frame_processor import FrameProcessor
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

    def pixels(
        self, images: Sequence[NDArray[np.uint8]], depth: Sequence[FloatArray | None]
    ) -> dict[str, torch.Tensor]:
        """Return pixel_values, depth_values and depth_mask, each with a row per sample.

        Args:
            images: (height, width, 3) uint8.
            depth: (height, width) in metres, or None.
        """
        empty = np.zeros((3, self.spec.height, self.spec.width), np.float32)
        maps = [empty if m is None else depth_array(m, self.spec) for m in depth]
        return {
            "pixel_values": torch.from_numpy(
                np.stack([image_array(image, self.spec) for image in images])
            ),
            "depth_values": torch.from_numpy(np.stack(maps)),
            "depth_mask": torch.tensor([m is not None for m in depth]),
        }

    def prompt(
        self,
        instruction: str,
        image: NDArray[np.uint8],
        depth: FloatArray | None = None,
        reason: bool = False,
    ) -> list[int]:
        """See `FrameProcessor.prompt`; images of any size become as many tokens."""
        written = tokens.prompt(
            instruction,
            image_tokens=self.spec.image_tokens,
            depth_tokens=0 if depth is None else self.spec.depth_tokens,
            reason=reason,
        )
        ids: list[int] = self.tokenizer(written, add_special_tokens=False)["input_ids"]
        return ids
