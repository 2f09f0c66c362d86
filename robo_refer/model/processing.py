"""RoboReferProcessor: image, depth and text in; tensors for the model out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import BatchFeature, PreTrainedTokenizerFast, ProcessorMixin

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.preprocess import PreprocessSpec, depth_array, image_array
from robo_refer.types import FloatArray, Frame


class RoboReferProcessor(ProcessorMixin):
    """Turns frames and instructions into a left-padded batch, with and without depth mixed.

    The pixels come from `robo_refer.preprocess`, the same functions that the ONNX engine uses.

    Args:
        tokenizer: a tokenizer that holds `robo_refer.tokens.all_added_tokens()`.
        spec: what the checkpoint's towers expect.
    """

    attributes = ["tokenizer"]  # noqa: RUF012 - transformers' own name and form
    tokenizer_class = "PreTrainedTokenizerFast"

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        spec: PreprocessSpec,
    ) -> None:
        super().__init__(tokenizer)
        self.spec = spec

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
            tokens.prompt(
                instruction,
                image_tokens=self.spec.image_tokens,
                depth_tokens=0 if depth_m is None else self.spec.depth_tokens,
                reason=reason,
            )
            for instruction, depth_m in zip(text, depth, strict=True)
        ]
        batch = self.tokenizer(
            prompts,
            padding=True,
            padding_side="left",
            return_tensors="pt",
            add_special_tokens=False,
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

    def from_frames(
        self, frames: Sequence[Frame], instructions: Sequence[str], reason: bool = False
    ) -> BatchFeature:
        """Return the batch for frames and their instructions."""
        return self(
            images=[frame.rgb for frame in frames],
            depth=[frame.depth_m for frame in frames],
            text=instructions,
            reason=reason,
        )

    def batch_decode(self, sequences: Any, skip_special_tokens: bool = True, **_: Any) -> list[str]:
        """Return the texts; the grammar's own tokens are text, so only padding is dropped."""
        return self.tokenizer.batch_decode(sequences, skip_special_tokens=skip_special_tokens)

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> list[str]:
        """Write the tokenizer and the preprocessing spec."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        written = self.tokenizer.save_pretrained(folder)
        (folder / files.PREPROCESS).write_text(json.dumps(asdict(self.spec), indent=1) + "\n")
        return [*written, str(folder / files.PREPROCESS)]

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **_: Any) -> Any:
        """Read both from a checkpoint folder."""
        folder = Path(pretrained_model_name_or_path)
        spec = PreprocessSpec.from_dict(json.loads((folder / files.PREPROCESS).read_text()))
        return cls(PreTrainedTokenizerFast.from_pretrained(folder), spec)
