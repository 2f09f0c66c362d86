"""The engine of the converted 2B and 8B: images in tiles, coordinates of the whole image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Literal

import numpy as np

from robo_refer.engines.base import Generation, Request, Timings, by_frame
from robo_refer.errors import missing_package
from robo_refer.parsing import READERS, parse
from robo_refer.tiling import Grid
from robo_refer.types import Answer, Frame

try:
    import torch

    from robo_refer.model.loading import load_checkpoint
    from robo_refer.model.monocular_depth import MonocularDepth
    from robo_refer.model.quantization import quantization_options
    from robo_refer.model.tiled_processing import TiledImage, depth_picture
except ImportError as error:
    raise missing_package("torch", "torch") from error

MAX_NEW_TOKENS = 512
"""A number is five tokens here, and the reasoning of five steps is some 300."""


@dataclass(frozen=True)
class Encoded:
    """The grids of a frame's tiles, and the features that these became."""

    grids: list[Grid]
    depth_grids: list[Grid]
    image_tokens: torch.Tensor
    depth_tokens: torch.Tensor | None


class TorchTiledEngine:
    """A converted checkpoint, on the GPU where there is one.

    Args:
        folder: written by `robo-refer model convert`.
        depth_model: where a frame has no depth, take it from this monocular model (a folder or a
            name on the hub); "" answers from colour alone.
        quantize: load the language model in 8 or 4 bits; None keeps the checkpoint's type.

    Raises:
        RoboReferError: BAD_CHECKPOINT when something is missing or damaged.
    """

    def __init__(
        self,
        folder: Path,
        *,
        depth_model: str = "",
        quantize: Literal["int8", "int4"] | None = None,
    ) -> None:
        self._model, self._processor = load_checkpoint(folder, **quantization_options(quantize))
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if quantize is None:
            self._model.to(self._device)
        self._depth_model = MonocularDepth(depth_model) if depth_model else None
        self.name = folder.name
        self.timings = Timings()

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one greedy answer per request; see `Engine.generate`."""
        questions = [
            self._processor.question(request.instruction, request.reason) for request in requests
        ]
        answers: dict[int, Generation] = {}
        for places in by_frame(requests):
            encoded = self._encode(requests[places[0]].frame)
            for place in places:
                answers[place] = self._answer(questions[place], encoded)
        return [answers[place] for place in range(len(requests))]

    def read(self, text: str, frame: Frame) -> Answer:
        """Return what `text` says: our grammar where it is tagged, else the released tuples."""
        if text.lstrip().startswith(("<think>", "<answer>")):
            return parse(text)
        return READERS["roborefer_tuples"](text, frame.width, frame.height)

    @torch.no_grad()
    def _encode(self, frame: Frame) -> Encoded:
        start = perf_counter()
        depth: Any = frame.depth_m
        if depth is None and self._depth_model is not None:
            depth = np.repeat(self._depth_model.relative(frame.rgb)[..., None], 3, axis=2)
        images = [self._processor.tile(frame.rgb)]
        depths = [] if depth is None else [self._processor.tile(depth_picture(depth))]
        tiled = perf_counter()
        inner = self._model.model
        rgb, _ = inner.image_tokens(*self._tensors(images[0]))
        encoded_depth = inner.depth_tokens(*self._tensors(depths[0]))[0] if depths else None
        self.timings.preprocess += tiled - start
        self.timings.towers += perf_counter() - tiled
        grids, depth_grids = ([one.grid for one in seen] for seen in (images, depths))
        return Encoded(grids, depth_grids, rgb, encoded_depth)

    def _tensors(self, image: TiledImage) -> tuple[torch.Tensor, torch.Tensor]:
        return image.pixels.to(self._device), torch.tensor([image.grid])

    @torch.no_grad()
    def _answer(self, question: str, encoded: Encoded) -> Generation:
        start = perf_counter()
        ids = self._processor.prompt_ids(question, encoded.grids, encoded.depth_grids)
        embeds = self._model.model.embed(
            torch.tensor([ids], device=self._device), encoded.image_tokens, encoded.depth_tokens
        )
        output = self._model.generate(
            inputs_embeds=embeds,
            attention_mask=torch.ones(embeds.shape[:2], dtype=torch.long, device=self._device),
            max_new_tokens=MAX_NEW_TOKENS,
            do_sample=False,
        )
        tokenizer = self._processor.tokenizer
        written = output[0].tolist()
        if written and written[-1] == tokenizer.eos_token_id:
            written.pop()
        self.timings.decode += perf_counter() - start
        self.timings.tokens += len(written) + 1
        text = tokenizer.decode(written, skip_special_tokens=True).strip()
        return Generation(text, tuple(written), ())
