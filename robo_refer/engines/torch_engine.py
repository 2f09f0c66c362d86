"""The torch engine: any checkpoint of the architecture, through Hugging Face `generate()`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from robo_refer import tokens
from robo_refer.engines.base import Generation, PointScorer, Request, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.errors import missing_package
from robo_refer.preprocess import PreprocessSpec

try:
    import torch

    from robo_refer.model.loading import load_checkpoint
except ImportError as error:
    raise missing_package("torch", "torch") from error


class TorchEngine(CanvasEngine):
    """A checkpoint folder with safetensors, a tokenizer and a preprocessing spec.

    Args:
        folder: written by `save_pretrained` of the model and the processor.

    Raises:
        RoboReferError: BAD_CHECKPOINT when it is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._model, self._processor = load_checkpoint(folder)
        self.name = folder.name
        self.spec: PreprocessSpec = self._processor.spec
        self.timings = Timings()

    def answer(
        self,
        image: NDArray[np.float32],
        depth: NDArray[np.float32] | None,
        requests: Sequence[Request],
    ) -> list[Generation]:
        """Return one greedy answer per request; see `CanvasEngine.answer`."""
        return [self._answer(image, depth, asked) for asked in requests]

    @torch.no_grad()
    def _answer(
        self,
        image: NDArray[np.float32],
        depth: NDArray[np.float32] | None,
        asked: Request,
    ) -> Generation:
        start = perf_counter()
        text = tokens.prompt(
            asked.instruction,
            image_tokens=self.spec.image_tokens,
            depth_tokens=0 if depth is None else self.spec.depth_tokens,
            reason=asked.reason,
        )
        tokenizer = self._processor.tokenizer
        batch = tokenizer(text, return_tensors="pt", add_special_tokens=False)
        output = self._model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            pixel_values=torch.from_numpy(image[None]),
            depth_values=None if depth is None else torch.from_numpy(depth[None]),
            max_new_tokens=tokens.MAX_NEW_TOKENS,
            do_sample=False,
            return_dict_in_generate=True,
            output_logits=True,
        )
        written = output.sequences[0, batch["input_ids"].shape[1] :].tolist()
        if written and written[-1] == tokenizer.eos_token_id:
            written.pop()
        scorer = PointScorer(
            *tokenizer.convert_tokens_to_ids([tokens.FIRST_TOKENS[0], tokens.SECOND_TOKENS[0]])
        )
        for token_id, logits in zip(written, output.logits, strict=False):
            scorer.see(token_id, logits[0].float().numpy())
        self.timings.decode += perf_counter() - start
        self.timings.tokens += len(written) + 1
        answer = tokenizer.decode(written, skip_special_tokens=True)
        return Generation(answer, tuple(written), tuple(scorer.scores))
