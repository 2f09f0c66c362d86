"""The default engine: ONNX Runtime on a CPU, without torch."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.engines.base import MAX_NEW_TOKENS, Generation, PointScorer, Request, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.preprocess import PreprocessSpec

MAX_TEXT_TOKENS = 256
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
            self._cache_shape: list[int] = config["cache_shape"]
            self._tokenizer = Tokenizer.from_file(str(folder / files.TOKENIZER))
            self._embeddings = np.load(folder / files.EMBEDDINGS, allow_pickle=False)
            self._vision = _session(folder / files.VISION)
            self._depth = _session(folder / files.DEPTH)
            self._decoder = _session(folder / files.DECODER)
        except Exception as error:  # each library has its own exceptions for a broken file
            raise RoboReferError(
                ErrorCode.BAD_CHECKPOINT,
                f"The checkpoint in {folder} cannot be loaded: {_first_line(error)}.",
                "Export it again with 'robo-refer model export', or reinstall the package.",
            ) from error
        vocabulary = self._tokenizer.get_vocab()
        self._end = vocabulary[tokens.END]
        self._numbers = vocabulary[tokens.FIRST_TOKENS[0]], vocabulary[tokens.SECOND_TOKENS[0]]
        self.timings = Timings()

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
        empty = np.zeros(self._cache_shape, np.float32)
        _, cache = self._step(np.concatenate(prefix, axis=1), empty)
        self.timings.towers += encoded - start
        self.timings.prefill += perf_counter() - encoded
        return [self._answer(ids, cache) for ids in prompts]

    def _prompt_ids(self, instruction: str, reason: bool) -> list[int]:
        text = tokens.prompt(instruction, image_tokens=0, depth_tokens=0, reason=reason)
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        if len(ids) > MAX_TEXT_TOKENS:
            raise RoboReferError(
                ErrorCode.BAD_INSTRUCTION,
                f"The instruction has {len(ids)} tokens; this model reads {MAX_TEXT_TOKENS}.",
                "Say it in a sentence.",
            )
        return ids

    def _step(
        self, embeds: NDArray[np.float32], cache: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the last position's (vocabulary,) logits and the longer cache."""
        logits, longer = self._decoder.run(None, {"inputs_embeds": embeds, "cache": cache})
        return logits[0], longer

    def _answer(self, prompt_ids: list[int], cache: NDArray[np.float32]) -> Generation:
        start = perf_counter()
        logits, cache = self._step(self._embeddings[prompt_ids][None], cache)
        prefilled = perf_counter()
        scorer = PointScorer(*self._numbers)
        written: list[int] = []
        for _ in range(MAX_NEW_TOKENS):
            token_id = int(logits.argmax())
            if token_id == self._end:
                break
            written.append(token_id)
            scorer.see(token_id, logits)
            logits, cache = self._step(self._embeddings[[[token_id]]], cache)
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
    # Three graphs take turns: threads of one that spin while another works would take its cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__).rstrip(".")
