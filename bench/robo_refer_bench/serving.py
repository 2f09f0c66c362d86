"""`robo-refer bench serve`: many callers at once against one at a time, every answer checked."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import tyro
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
class ServingOptions:
    """Measure a server's throughput: many callers at once against one at a time.

    Every caller sends 640x480 RGB-D frames and waits for its answer; every answer is compared
    with what the same model answers about the same frame without a server.
    """

    model: str = "nano"
    """The model to serve."""

    clients: int = 32
    """Callers at once."""

    requests: int = 320
    """Requests that they send together; one caller alone sends a quarter of them."""

    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print JSON."""


@dataclass(frozen=True)
class Load:
    """How one crowd of callers was answered."""

    clients: int
    requests: int
    per_second: float
    median_ms: float
    p99_ms: float
    wrong: int


def main(argv: list[str]) -> None:
    """Run `robo-refer bench serve` with the arguments after its name."""
    options = tyro.cli(
        ServingOptions, args=argv, prog="robo-refer bench serve",
        description=ServingOptions.__doc__,
    )  # fmt: skip
    if options.clients < 1 or options.requests < 4:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, "Too few clients or requests.", "Use at least 1 and 4."
        )
    one, many = measure(options)
    if options.as_json:
        ratio = many.per_second / one.per_second
        print(json.dumps({"one": asdict(one), "many": asdict(many), "ratio": round(ratio, 3)}))
        return
    print(
        f"{'callers':>8}{'requests':>10}{'a second':>10}{'median ms':>11}{'p99 ms':>9}{'wrong':>7}"
    )
    for load in (one, many):
        print(
            f"{load.clients:>10}{load.requests:>10}{load.per_second:>10.1f}"
            f"{load.median_ms:>10.1f}{load.p99_ms:>10.1f}{load.wrong:>10}"
        )
    print(f"ratio of throughput: {many.per_second / one.per_second:.2f}x")


def measure(options: ServingOptions) -> tuple[Load, Load]:
    """Return how one caller and how many are answered by the same server.

    Raises:
        RoboReferError: BACKEND_UNREACHABLE when the server does not start.
    """
    requests = _requests()
    expected = _answers(options.model, requests)
    with served(options.model) as url:
        _crowd(url, requests, expected, 1, 8)  # both sides warm
        one = _crowd(url, requests, expected, 1, options.requests // 4)
        many = _crowd(url, requests, expected, options.clients, options.requests)
    return one, many


@contextmanager
def served(model: str) -> Iterator[str]:
    """Serve a model in a process of its own; yield its address."""
    command = [sys.executable, "-m", "robo_refer.cli.main", "serve", "--port", "0"]
    process = subprocess.Popen([*command, "--model", model], stdout=subprocess.PIPE, text=True)
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
        process.wait()


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
