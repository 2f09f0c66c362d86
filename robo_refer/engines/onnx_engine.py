"""The default engine: ONNX Runtime on a CPU, without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.engines.base import Generation, PointScorer, Request, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.engines.onnx_decoder import OnnxDecoder
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.preprocess import PreprocessSpec

MAX_THREADS = 4


class OnnxEngine(CanvasEngine):
    """A checkpoint written by `robo-refer model export`.

    Args:
        folder: where its files are.

    Raises:
        RoboReferError: BAD_CHECKPOINT when a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            config = json.loads((folder / files.ONNX_CONFIG).read_text(encoding="utf-8"))
            self.name: str = config["name"]
            self.spec = PreprocessSpec.from_dict(config["preprocess"])
            self._tokenizer = Tokenizer.from_file(str(folder / files.TOKENIZER))
            self._embeddings = np.load(folder / files.EMBEDDINGS, allow_pickle=False)
            self._vision = _session(folder / files.VISION)
            self._depth = _session(folder / files.DEPTH)
            self._decoder = OnnxDecoder(_session(folder / files.DECODER))
            self._check_room()
        except Exception as error:  # each library has its own exceptions for a broken file
            raise RoboReferError(
                ErrorCode.BAD_CHECKPOINT,
                f"The checkpoint in {folder} cannot be loaded: {_first_line(error)}.",
                "Export it again with 'robo-refer model export', or reinstall the package.",
            ) from error
        vocabulary = self._tokenizer.get_vocab()
        self._end = vocabulary[tokens.END]
        self._numbers = vocabulary[tokens.FIRST_TOKENS[0]], vocabulary[tokens.SECOND_TOKENS[0]]
        self._reading = Lock()
        self.timings = Timings()

    def _check_room(self) -> None:
        needed = tokens.room(self.spec.image_tokens + self.spec.depth_tokens)
        if needed > self._decoder.room:
            raise ValueError(
                f"its decoder has room for {self._decoder.room} tokens, and {needed} are needed"
            )

    def answer(
        self,
        image: NDArray[np.float32],
        depth: NDArray[np.float32] | None,
        requests: Sequence[Request],
    ) -> list[Generation]:
        """Return one greedy answer per request; see `CanvasEngine.answer`."""
        prompts = [self._prompt_ids(asked.instruction, asked.reason) for asked in requests]
        start = perf_counter()
        prefix = [self._vision.run(None, {"pixel_values": image[None]})[0]]
        if depth is not None:
            prefix.append(self._depth.run(None, {"pixel_values": depth[None]})[0])
        encoded = perf_counter()
        self.timings.towers += encoded - start
        with self._reading:  # one cache: callers from several threads take turns
            begun = perf_counter()
            self._decoder.length = 0
            self._decoder.step(np.concatenate(prefix, axis=1)[0])
            seen = self._decoder.length
            self.timings.prefill += perf_counter() - begun
            return [self._answer(ids, seen) for ids in prompts]

    def _prompt_ids(self, instruction: str, reason: bool) -> list[int]:
        text = tokens.prompt(instruction, image_tokens=0, depth_tokens=0, reason=reason)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) > tokens.MAX_TEXT_TOKENS:
            raise RoboReferError(
                ErrorCode.BAD_INSTRUCTION,
                f"The instruction has {len(ids)} tokens; "
                f"this model reads {tokens.MAX_TEXT_TOKENS}.",
                "Say it in a sentence.",
            )
        return ids

    def _answer(self, prompt_ids: list[int], seen: int) -> Generation:
        """Write the answer to a prompt behind the first `seen` tokens: those of the frame."""
        start = perf_counter()
        self._decoder.length = seen
        logits = self._decoder.step(self._embeddings[prompt_ids])
        prefilled = perf_counter()
        scorer = PointScorer(*self._numbers)
        written: list[int] = []
        for _ in range(tokens.MAX_NEW_TOKENS):
            token_id = int(logits.argmax())
            if token_id == self._end:
                break
            written.append(token_id)
            scorer.see(token_id, logits)
            logits = self._decoder.step(self._embeddings[[token_id]])
        self.timings.prefill += prefilled - start
        self.timings.decode += perf_counter() - prefilled
        self.timings.tokens += len(written) + 1
        text = self._tokenizer.decode(written, skip_special_tokens=True)
        return Generation(text, tuple(written), tuple(scorer.scores))


def _session(path: Path) -> Any:
    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing")
    options = ort.SessionOptions()
    options.intra_op_num_threads = min(MAX_THREADS, len(os.sched_getaffinity(0)))
    options.inter_op_num_threads = 1
    # Threads may spin between the operators of a run, and not behind it: three graphs take turns.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
