"""What the processors of nano and of the converted 2B and 8B share: files, and frames as input."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import torch
from transformers import BatchFeature, PreTrainedTokenizerBase, ProcessorMixin

from robo_refer.preprocess import PreprocessSpec
from robo_refer.tiling import TilingSpec
from robo_refer.types import Frame


class FrameProcessor(ProcessorMixin):
    """Turns frames and instructions into a left-padded batch, with and without depth mixed.

    Args:
        tokenizer: the checkpoint's.
        spec: what the checkpoint's towers expect.
    """

    attributes = ["tokenizer"]  # noqa: RUF012 - transformers' own name and form
    tokenizer_type: ClassVar[Any]
    spec_type: ClassVar[type[PreprocessSpec] | type[TilingSpec]]
    spec_file: ClassVar[str]

    def __init__(self, tokenizer: PreTrainedTokenizerBase, spec: Any) -> None:
        super().__init__(tokenizer)
        self.spec = spec

    def __call__(
        self,
        images: Sequence[Any],
        text: Sequence[str],
        depth: Sequence[Any] | None = None,
        reason: bool = False,
        **_: Any,
    ) -> BatchFeature:
        """Return input_ids and attention_mask, left-padded, and what `pixels` returns.

        Args:
            images: one (height, width, 3) uint8 image per sample.
            text: one instruction per sample.
            depth: one depth map, or None, per sample.
            reason: ask for written reasoning.
        """
        depth = depth if depth is not None else [None] * len(images)
        prompts = [
            self.prompt(instruction, image, one, reason)
            for instruction, image, one in zip(text, images, depth, strict=True)
        ]
        batch = self.tokenizer.pad(
            {"input_ids": prompts}, padding=True, padding_side="left", return_tensors="pt"
        )
        return BatchFeature({**batch, **self.pixels(images, depth)})

    @abstractmethod
    def pixels(self, images: Sequence[Any], depth: Sequence[Any | None]) -> dict[str, torch.Tensor]:
        """Return what the model sees of each sample, whatever is asked about it."""

    @abstractmethod
    def prompt(
        self,
        instruction: str,
        image: Any,
        depth: Any | None = None,
        reason: bool = False,
    ) -> list[int]:
        """Return the ids of the whole prompt, with placeholders for what is seen.

        Args:
            instruction: what is asked.
            image: of which only the size is read.
            depth: its depth map, likewise, or None.
            reason: ask for written reasoning.
        """

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
        """Return the texts; the grammar's own tokens are text, special ones are not."""
        return self.tokenizer.batch_decode(sequences, skip_special_tokens=skip_special_tokens)

    def save_pretrained(self, save_directory: str | Path, **kwargs: Any) -> list[str]:
        """Write the tokenizer and the spec."""
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        written = self.tokenizer.save_pretrained(folder)
        path = folder / self.spec_file
        path.write_text(json.dumps(asdict(self.spec), indent=1) + "\n")
        return [*written, str(path)]

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **_: Any) -> Any:
        """Read both from a checkpoint folder."""
        folder = Path(pretrained_model_name_or_path)
        spec = cls.spec_type.from_dict(json.loads((folder / cls.spec_file).read_text()))
        return cls(cls.tokenizer_type.from_pretrained(folder), spec)
