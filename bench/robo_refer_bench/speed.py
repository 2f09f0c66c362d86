"""Speed of a plain answer, from arrays to a 3D point, against Hugging Face `generate()`.

Both sides run the same weights on the same frame in the same process, in alternating order, so
that whatever else the machine does falls on both. The ratio is the result; the times belong to the
machine that is named beside them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from robo_refer.engines.base import Generation, Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer.types import Frame
from robo_refer_bench.drawn import drawn_frame
from robo_refer_bench.fresh import IMPORTS, import_seconds, peak_rss_mb

DEFAULT_CHECKPOINT = Path(__file__).resolve().parents[2] / "train" / "checkpoints" / "nano"
"""Beside the training code, in a checkout."""

PARTS = ("preprocess", "towers", "prefill", "decode", "lift")


@dataclass(frozen=True)
class Question:
    """What is asked, and whether reasoning is written before the answer."""

    name: str
    text: str
    think: bool


QUESTIONS = (
    Question("direct", "the red ball", think=False),
    Question("relational", "the object directly left of the green box", think=True),
)


@dataclass(frozen=True)
class Cost:
    """Seconds of one answer: on the wall, and of all processor cores together."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class Pair:
    """Both sides' costs of the same answer, one after the other."""

    ours: Cost
    peer: Cost


@dataclass(frozen=True)
class Result:
    """What was measured of one question.

    Attributes:
        question: which.
        tokens: how many were written, the same by both.
        pairs: every measurement.
        parts_s: median seconds of our parts, see `PARTS`.
        peak_rss_mb: of a fresh process that answers it once.
    """

    question: Question
    tokens: int
    pairs: tuple[Pair, ...]
    parts_s: dict[str, float]
    peak_rss_mb: float

    @property
    def ours(self) -> Cost:
        return _median_cost([pair.ours for pair in self.pairs])

    @property
    def peer(self) -> Cost:
        return _median_cost([pair.peer for pair in self.pairs])

    @property
    def ratio_wall(self) -> float:
        """Median over the pairs of how many times longer the peer takes."""
        return median(pair.peer.wall_s / pair.ours.wall_s for pair in self.pairs)

    @property
    def ratio_cpu(self) -> float:
        """The same in processor seconds, which other programs on the machine disturb less."""
        return median(pair.peer.cpu_s / pair.ours.cpu_s for pair in self.pairs)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers."""
        return {
            "question": self.question.name,
            "instruction": self.question.text,
            "think": self.question.think,
            "tokens": self.tokens,
            "pairs": [
                [p.ours.wall_s, p.ours.cpu_s, p.peer.wall_s, p.peer.cpu_s] for p in self.pairs
            ],
            "ours": vars(self.ours),
            "peer": vars(self.peer),
            "ratio_wall": self.ratio_wall,
            "ratio_cpu": self.ratio_cpu,
            "parts_s": self.parts_s,
            "peak_rss_mb": self.peak_rss_mb,
        }


@dataclass(frozen=True)
class Speed:
    """All that `bench speed` measured, with the machine it was measured on.

    Attributes:
        load_before, load_after: load averages (1, 5, 15 minutes).
        imports_s: median seconds of an import in a fresh process, by statement.
    """

    model: str
    checkpoint: str
    cores: int
    processor: str
    load_before: tuple[float, float, float]
    load_after: tuple[float, float, float]
    imports_s: dict[str, float]
    results: tuple[Result, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers."""
        return {**vars(self), "results": [result.as_dict() for result in self.results]}


def measure(model: str, checkpoint: Path, pairs: int, cores: int) -> Speed:
    """Measure the default engine against `generate()`; pins this process to `cores` cores.

    Args:
        model: "nano" or the folder of an ONNX export.
        checkpoint: folder with the same weights as safetensors.
        pairs: measurements of each question.
        cores: how many processor cores both may use.

    Raises:
        RoboReferError: MISSING_DEPENDENCY without torch, BAD_CHECKPOINT when either is missing,
            BAD_REQUEST when the two write different tokens, or for impossible numbers.
    """
    if pairs < 1 or cores < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "Pairs and cores must be at least 1.", "Use larger numbers."
        )
    peer_of = load_peer()
    used = pin(cores)
    load_before = os.getloadavg()
    frame = drawn_frame()
    # Fresh processes first: they need none of what is loaded next.
    imports = {statement: import_seconds(statement) for statement in IMPORTS}
    memory = {q.name: peak_rss_mb(model, frame, q.text, q.think) for q in QUESTIONS}
    ours, peer = Referrer.from_pretrained(model), peer_of(checkpoint, used)
    results = tuple(
        compare(ours, peer, frame, question, pairs, memory[question.name]) for question in QUESTIONS
    )
    return Speed(
        model=model,
        checkpoint=checkpoint.name,
        cores=used,
        processor=_processor(),
        load_before=load_before,
        load_after=os.getloadavg(),
        imports_s=imports,
        results=results,
    )


def load_peer() -> Callable[[Path, int], Referrer]:
    """Return what loads a checkpoint for `generate()`; asked first, as it may not be installed.

    Raises:
        RoboReferError: MISSING_DEPENDENCY when torch or transformers is not installed.
    """
    from robo_refer.engines.torch_engine import TorchEngine

    def load(checkpoint: Path, threads: int) -> Referrer:
        import torch

        if not checkpoint.is_dir():
            raise RoboReferError(
                ErrorCode.BAD_CHECKPOINT,
                f"There is no checkpoint folder {checkpoint} to compare with.",
                "Name the folder with the model's safetensors with --checkpoint.",
            )
        torch.set_num_threads(threads)
        return Referrer(TorchEngine(checkpoint))

    return load


def pin(cores: int) -> int:
    """Keep this process, and those it starts, on at most `cores` cores; return how many it has."""
    if not hasattr(os, "sched_setaffinity"):
        return min(cores, os.cpu_count() or 1)
    mine = sorted(os.sched_getaffinity(0))[:cores]
    os.sched_setaffinity(0, mine)
    return len(mine)


def compare(
    ours: Referrer, peer: Referrer, frame: Frame, question: Question, pairs: int, memory_mb: float
) -> Result:
    """Measure one question on both sides; the checked first answers also warm both up.

    Raises:
        RoboReferError: BAD_REQUEST when the two write different tokens.
    """
    tokens = same_tokens(_generate(ours, frame, question), _generate(peer, frame, question))
    measured: list[Pair] = []
    parts: list[dict[str, float]] = []
    for number in range(pairs):
        # Who goes first takes turns: the second finds the caches of the first.
        if number % 2 == 0:
            mine, split = _answer(ours, frame, question)
            other, _ = _answer(peer, frame, question)
        else:
            other, _ = _answer(peer, frame, question)
            mine, split = _answer(ours, frame, question)
        measured.append(Pair(mine, other))
        parts.append(split)
    return Result(
        question=question,
        tokens=tokens,
        pairs=tuple(measured),
        parts_s={name: median(part[name] for part in parts) for name in PARTS},
        peak_rss_mb=memory_mb,
    )


def same_tokens(ours: Generation, peer: Generation) -> int:
    """Return how many tokens both wrote, end mark included; raises BAD_REQUEST if they differ."""
    if ours.token_ids == peer.token_ids:
        return len(ours.token_ids) + 1
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"The two do not write the same answer: {ours.text!r} and {peer.text!r}.",
        "Compare a model with its own weights: export the checkpoint again.",
    )


def _generate(referrer: Referrer, frame: Frame, question: Question) -> Generation:
    return referrer.engine.generate([Request(frame, question.text, question.think)])[0]


def _answer(referrer: Referrer, frame: Frame, question: Question) -> tuple[Cost, dict[str, float]]:
    """Return what one answer cost, and its parts in seconds."""
    cpu, wall = process_time(), perf_counter()
    referral = referrer.refer(frame, question.text, question.think)
    cost = Cost(perf_counter() - wall, process_time() - cpu)
    timings = referrer.engine.timings
    parts = {
        "preprocess": referral.seconds["preprocess"],
        "towers": timings.towers,
        "prefill": timings.prefill,
        "decode": timings.decode,
        "lift": referral.seconds["lift"],
    }
    return cost, parts


def _median_cost(costs: Sequence[Cost]) -> Cost:
    return Cost(median(c.wall_s for c in costs), median(c.cpu_s for c in costs))


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def console(speed: Speed) -> str:
    """Return the measurements as aligned lines."""
    load = ", ".join(f"{value:.1f}" for value in speed.load_before)
    after = ", ".join(f"{value:.1f}" for value in speed.load_after)
    lines = [
        f"{speed.model} (ONNX Runtime) against generate() of {speed.checkpoint}, "
        f"{speed.cores} cores of {speed.processor}",
        f"load average before {load}; after {after} (this run included)",
    ]
    for result in speed.results:
        lines += ["", *_result_lines(result)]
    lines.append("")
    lines += [
        f"{statement}: {1000 * seconds:.0f} ms in a fresh process"
        for statement, seconds in speed.imports_s.items()
    ]
    return "\n".join(lines)


def _result_lines(result: Result) -> list[str]:
    ours, peer = result.ours, result.peer
    parts = ", ".join(f"{name} {1000 * result.parts_s[name]:.1f}" for name in PARTS)
    return [
        f"{result.question.name}: {result.question.text!r}, {result.tokens} tokens, the same by "
        f"both; medians of {len(result.pairs)} alternating pairs",
        f"  {'':<12}{'wall ms':>9}{'CPU ms':>9}",
        f"  {'ours':<12}{1000 * ours.wall_s:>9.1f}{1000 * ours.cpu_s:>9.1f}",
        f"  {'generate()':<12}{1000 * peer.wall_s:>9.1f}{1000 * peer.cpu_s:>9.1f}",
        f"  {'ratio':<12}{result.ratio_wall:>8.2f}x{result.ratio_cpu:>8.2f}x",
        f"  ours in ms: {parts}",
        f"  peak memory of a fresh process: {result.peak_rss_mb:.0f} MB",
    ]
