"""Generate a dataset: scenes rendered and questioned in worker processes, one shard at a time.

The shard is the unit of work: a run that was stopped goes on with the shards that are missing.
Everything about scene i follows from `SeedSequence([seed, i])`, and how scenes are cut into
shards from their number alone, so the files are the same bytes whatever the number of workers,
whichever machine made them, and however often the run was killed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from robo_refer.data import shard_path
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.atomic import write_atomically
from robo_refer_data.making import MakeSample, make_sample
from robo_refer_data.plan import GENERATOR_VERSION, Plan
from robo_refer_data.preflight import check, models_of
from robo_refer_data.scale.job import Job, Progress, Shards, raise_failures
from robo_refer_data.scale.local import make_here

try:
    from tqdm import tqdm
except ImportError as error:
    raise missing_package("tqdm", "data") from error

_LONGEST_SHOWN = 120


def generate(
    out: Path,
    plan: Plan,
    workers: int = 1,
    make: MakeSample = make_sample,
    ray: str | None = None,
) -> dict[str, float]:
    """Make the dataset of `plan` in folder `out`, or what is missing of it.

    Args:
        out: dataset folder; made if it does not exist.
        plan: which dataset.
        workers: number of processes, each on one thread.
        make: makes one sample; must be importable in the workers.
        ray: address of a Ray cluster that makes the shards instead of processes of this machine.

    Returns:
        `scenes` made by this run, its `seconds` and `scenes_per_s`.

    Raises:
        RoboReferError: BAD_REQUEST when `out` holds another dataset, BAD_FILE when it cannot be
            written, and what `preflight.check` finds. A scene that fails, or a worker that dies
            twice over the same shard, is raised at the end, when all other shards are finished.
    """
    check_workers(workers)
    check(plan)
    started = time.perf_counter()
    manifest = {
        "generator": GENERATOR_VERSION,
        **plan.as_manifest(),
        **models_of(plan),
        "scenes_per_shard": plan.scenes_per_shard,
    }
    with writing_to(out):
        claim(out, manifest)
    shards = {number: plan.shard_scenes(number) for number in range(plan.shards)}
    made = make_missing(Job(out, partial(make, plan), GENERATOR_VERSION), shards, workers, ray)
    seconds = time.perf_counter() - started
    return {"scenes": made, "seconds": seconds, "scenes_per_s": made / seconds}


def check_workers(workers: int) -> None:
    """Raise BAD_REQUEST for less than one worker."""
    if workers < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{workers} workers make nothing.", "Choose at least 1."
        )


def make_missing(
    job: Job, shards: Shards, workers: int, ray: str | None = None, unit: str = "scene"
) -> int:
    """Make the shards that are not there yet, with a progress bar; return how many samples.

    Args:
        job: what to make.
        shards: the whole dataset.
        workers: number of processes of this machine.
        ray: address of a Ray cluster to use instead of them.
        unit: what the bar calls a sample.

    Raises:
        RoboReferError: BAD_FILE when the folder cannot be written; that of the first shard which
            could not be made, after all others are finished; those of `make_on_ray`.
    """
    missing = {n: at for n, at in shards.items() if not shard_path(job.out, n).exists()}
    total, wanted = (sum(map(len, some.values())) for some in (shards, missing))
    with writing_to(job.out):
        if missing:
            with _progress_bar(total, wanted, unit) as bar:
                progress = Progress(lambda made: bar.update(bar.initial + made - bar.n))
                _make(job, missing, workers, ray, progress)
            raise_failures(progress.failures, len(missing))
        remove_leftovers(job.out)
    return wanted


def remove_leftovers(out: Path) -> None:
    """Remove what runs that were killed left in a dataset that is finished."""
    for leftover in (out / "data").glob(".train-*.tmp"):
        leftover.unlink(missing_ok=True)


def _make(job: Job, missing: Shards, workers: int, ray: str | None, progress: Progress) -> None:
    if ray is None:
        make_here(job, missing, workers, progress)
        return
    from robo_refer_data.scale.cluster import make_on_ray

    make_on_ray(job, missing, ray, progress)


@contextmanager
def writing_to(out: Path) -> Iterator[None]:
    """Turn a failure to write into BAD_FILE, with what can be done about it."""
    try:
        yield
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{out} cannot be written: {error}.",
            "Choose a writable folder with room; a second run goes on where this one stopped.",
        ) from error


def _progress_bar(total: int, missing: int, unit: str) -> Any:
    interval_s = 0.2 if sys.stderr.isatty() else 30  # a log file needs no animation
    return tqdm(
        total=total, initial=total - missing, unit=unit, mininterval=interval_s, smoothing=0.05
    )


def claim(out: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of a dataset, or check that the one there is the same.

    Raises:
        RoboReferError: BAD_REQUEST when the folder holds another dataset.
        OSError: it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
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
    write_atomically(path, (json.dumps(manifest, indent=1) + "\n").encode())


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
        f"{name} is {_shown(there.get(name))}, not {_shown(wanted.get(name))}"
        for name in sorted({*there, *wanted})
        if there.get(name) != wanted.get(name)
    ]


def _shown(value: Any) -> str:
    """Return a value in a line: names of a hundred thousand frames are not read by anybody."""
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
