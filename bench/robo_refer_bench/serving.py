"""`robo-refer bench serve`: many callers at once against one at a time, every answer checked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from robo_refer.engines.base import Request
from robo_refer.engines.http_call import HttpCaller
from robo_refer.engines.http_engine import QueryEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer.types import Frame
from robo_refer_bench.drawn import drawn_frame

INSTRUCTIONS = ("the red box", "the nearest object", "the blue can", "free space left of the box")
FRAMES = 16


@dataclass(frozen=True)
class Load:
    """How one crowd of callers was answered."""

    clients: int
    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    wrong: int


@dataclass(frozen=True)
class Serving:
    """The same server under one caller, and under many."""

    one: Load
    many: Load

    @property
    def ratio(self) -> float:
        """Throughput of many callers over that of one."""
        return self.many.per_second / self.one.per_second

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {**asdict(self), "ratio": round(self.ratio, 3)}


def console(serving: Serving) -> str:
    """Return the measurements as aligned lines."""
    heads = ("callers", "requests", "a second", "median ms", "p99 ms", "wrong")
    lines = ["".join(f"{head:>10}" for head in heads)]
    lines += [
        f"{load.clients:>10}{load.requests:>10}{load.per_second:>10.1f}"
        f"{load.median_ms:>10.1f}{load.p99_ms:>10.1f}{load.wrong:>10}"
        for load in (serving.one, serving.many)
    ]
    return "\n".join([*lines, f"ratio of throughput: {serving.ratio:.2f}x"])


def measure(model: str, clients: int, count: int) -> Serving:
    """Return how one caller and how many are answered by the same server.

    Args:
        model: what is served.
        clients: callers at once.
        count: requests that they send together; one caller alone sends a quarter of them.

    Raises:
        RoboReferError: BACKEND_UNREACHABLE when the server does not start, BAD_REQUEST for
            impossible numbers.
    """
    if clients < 1 or count < 4:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "Too few clients or requests.", "Use at least 1 and 4."
        )
    requests = _requests()
    expected = _answers(model, requests)
    with served(model) as url:
        _crowd(url, requests, expected, 1, 8)  # both sides warm
        one = _crowd(url, requests, expected, 1, count // 4)
        return Serving(one, _crowd(url, requests, expected, clients, count))


@contextmanager
def served(model: str) -> Iterator[str]:
    """Serve a model in a process of its own; yield its address."""
    command = [sys.executable, "-m", "robo_refer.cli.main", "serve", "--port", "0"]
    command += ["--model", model]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if " on http" not in line:
                raise RoboReferError(
                    ErrorCode.BACKEND_UNREACHABLE,
                    f"The server of '{model}' does not start.",
                    "Start it with 'robo-refer serve' to see why.",
                )
            yield line.split(" on ")[1].split()[0]
        finally:
            process.terminate()


def _requests() -> list[Request]:
    """Return every instruction about several frames, each frame unlike the others."""
    first = drawn_frame()
    frames = [
        Frame(np.roll(first.rgb, 24 * n, axis=1), np.roll(_depth_m(first), 24 * n, axis=1))
        for n in range(FRAMES)
    ]
    return [Request(frame, text) for text in INSTRUCTIONS for frame in frames]


def _depth_m(frame: Frame) -> Any:
    # As it arrives: whole millimetres.
    return np.rint(np.asarray(frame.depth_m) * 1000).astype(np.float32) / np.float32(1000)


def _answers(model: str, requests: Sequence[Request]) -> list[str]:
    referrer = Referrer.from_pretrained(model)
    answers = (referrer.answer([request])[0] for request in requests)
    return [_shown([point.uv_norm for point in answer.points]) for answer in answers]


def _shown(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.3f},{y:.3f}" for x, y in points)


def _crowd(
    url: str, requests: Sequence[Request], expected: Sequence[str], clients: int, count: int
) -> Load:
    caller = HttpCaller(url)
    engine = QueryEngine(caller)
    # Encoded beforehand: the callers' own work is not the server's.
    bodies = [engine.body(request) for request in requests]

    def ask(number: int) -> tuple[float, bool]:
        place = number % len(requests)
        start = perf_counter()
        text = caller.post("/query", bodies[place])["answer"]
        elapsed_s = perf_counter() - start
        answer = engine.read(text, requests[place].frame)
        return elapsed_s, _shown(answer.points) == expected[place]

    start = perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        replies = list(tqdm(pool.map(ask, range(count)), total=count, disable=None, leave=False))
    elapsed_s = perf_counter() - start
    times_ms = [1000 * seconds for seconds, _ in replies]
    return Load(
        clients=clients,
        requests=count,
        per_second=count / elapsed_s,
        median_ms=median(times_ms),
        p99_ms=float(np.percentile(times_ms, 99)),
        wrong=sum(not right for _, right in replies),
    )
