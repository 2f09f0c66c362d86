"""Generate a dataset: scenes rendered and questioned in worker processes, one shard at a time.

The shard is the unit of work: a run that was stopped goes on with the shards that are missing.
Everything about scene i follows from `SeedSequence([seed, i])`, and how scenes are cut into
shards from their number alone, so the files are the same bytes whatever the number of workers.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_refer.data import Sample, shard_path, write_shard
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.making import MakeSample, make_sample
from robo_refer_data.plan import GENERATOR_VERSION, Plan
from robo_refer_data.preflight import check, models_of

try:
    from tqdm import tqdm
except ImportError as error:
    raise missing_package("tqdm", "data") from error

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


def generate(
    out: Path, plan: Plan, workers: int = 1, make: MakeSample = make_sample
) -> dict[str, float]:
    """Make the dataset of `plan` in folder `out`, or what is missing of it.

    Args:
        out: dataset folder; made if it does not exist.
        plan: which dataset.
        workers: number of processes, each on one thread.
        make: makes one sample; must be importable in the workers.

    Returns:
        `scenes` made by this run, its `seconds` and `scenes_per_s`.

    Raises:
        RoboReferError: BAD_REQUEST when `out` holds another dataset, BAD_FILE when it cannot be
            written, UNKNOWN when a worker process dies, and what `preflight.check` finds.
    """
    if workers < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{workers} workers make nothing.", "Choose at least 1."
        )
    check(plan)
    started = time.perf_counter()
    try:
        _claim(out, plan)
        missing = [n for n in range(plan.shards) if not shard_path(out, n).exists()]
        made = sum(len(plan.shard_scenes(shard)) for shard in missing)
        if missing:
            with _progress_bar(plan.scenes, made) as bar:
                _run(_Job(out, plan, make), missing, min(workers, len(missing)), bar)
        for leftover in (out / "data").glob(".train-*.tmp"):  # of runs that were killed
            leftover.unlink(missing_ok=True)
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{out} cannot be written: {error}.",
            "Choose a writable folder with room; a second run goes on where this one stopped.",
        ) from error
    seconds = time.perf_counter() - started
    return {"scenes": made, "seconds": seconds, "scenes_per_s": made / seconds}


def _progress_bar(scenes: int, missing: int) -> Any:
    interval_s = 0.2 if sys.stderr.isatty() else 30  # a log file needs no animation
    return tqdm(
        total=scenes, initial=scenes - missing, unit="scene", mininterval=interval_s, smoothing=0.05
    )


def _claim(out: Path, plan: Plan) -> None:
    """Write the manifest, or check that the one there is of the same plan."""
    out.mkdir(parents=True, exist_ok=True)
    manifest = {
        "generator": GENERATOR_VERSION,
        **plan.as_manifest(),
        **models_of(plan),
        "scenes_per_shard": plan.scenes_per_shard,
    }
    path = out / "manifest.json"
    if path.exists():
        differing = _differences(_read_manifest(path), manifest)
        if differing:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{out} holds another dataset: {', '.join(differing)}.",
                "Give the same options to go on with it, or choose another folder.",
            )
        return
    if any((out / "data").glob("*.parquet")):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{out} holds Parquet files but no manifest.json, so they cannot be continued.",
            "Choose another folder.",
        )
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(manifest, indent=1) + "\n")
    temporary.replace(path)


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE, f"{path} is not JSON.", "Choose another folder."
        ) from error
    return manifest if isinstance(manifest, dict) else {}


def _differences(there: dict[str, Any], wanted: dict[str, Any]) -> list[str]:
    return [
        f"{name} is {there.get(name)}, not {wanted.get(name)}"
        for name in sorted({*there, *wanted})
        if there.get(name) != wanted.get(name)
    ]


@dataclass(frozen=True)
class _Job:
    """What a worker needs to know to make any shard."""

    out: Path
    plan: Plan
    make: MakeSample


def _run(job: _Job, shards: list[int], workers: int, bar: Any) -> None:
    context = multiprocessing.get_context("spawn")  # fork is unsafe with numba's and BLAS' threads
    done, stop = context.Value("q", 0), context.Event()
    with (
        single_threaded_children(),
        ProcessPoolExecutor(workers, context, start_worker, (done, stop)) as pool,
    ):
        pending = {pool.submit(_make_shard, job, shard) for shard in shards}
        try:
            while pending:
                finished, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
                bar.update(done.value - (bar.n - bar.initial))
                for future in finished:
                    future.result()
        except BrokenProcessPool as error:
            raise RoboReferError(
                ErrorCode.UNKNOWN,
                "A worker process died (most often for want of memory).",
                "Run the same command again with fewer --workers; finished shards are kept.",
            ) from error
        finally:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Processes started inside use one thread each: libraries read these names when they load."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Worker:
    """What a worker process shares with its parent: scenes made so far, and the wish to stop."""

    done: Any = None
    stop: Any = None


def start_worker(done: Any, stop: Any) -> None:
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and sets `stop`
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.done, _Worker.stop = done, stop


def _end_with_parent() -> None:
    """Leave no orphans behind when the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _make_shard(job: _Job, shard: int) -> None:
    write_shard(shard_path(job.out, shard), _samples(job, shard))


def _samples(job: _Job, shard: int) -> Iterator[Sample]:
    for index in job.plan.shard_scenes(shard):
        if _Worker.stop.is_set():  # another shard failed: do not keep the user waiting
            raise RoboReferError(ErrorCode.CANCELLED, "The run was stopped.", "Start it again.")
        yield job.make(job.plan, index)
        with _Worker.done.get_lock():
            _Worker.done.value += 1
