"""`Job`: what a worker needs to know to make any shard of a dataset, and how one is made."""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer.data import Sample, shard_path, write_shard
from robo_refer.errors import ErrorCode, RoboReferError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

Shards = dict[int, range]
"""Shard number -> indices of its samples."""

Failures = dict[int, RoboReferError]
"""Shard number -> why it could not be made."""


@dataclass(frozen=True)
class Job:
    """A dataset to be made; it travels to the workers by pickle.

    Attributes:
        out: folder of the dataset.
        make: makes the sample of an index, the same every time, or None for an index without one;
            must be importable in the workers.
        version: of the code; workers on other machines must have the same one.
    """

    out: Path
    make: Callable[[int], Sample | None]
    version: int


@dataclass
class Progress:
    """What is heard of while shards are made.

    Attributes:
        report: called with the number of samples made so far.
        finished: samples in finished shards.
        failures: shards that are given up.
    """

    report: Callable[[int], None]
    finished: int = 0
    failures: Failures = field(default_factory=dict)


def make_shard(
    job: Job,
    shard: int,
    indices: range,
    made_one: Callable[[], None] = lambda: None,
) -> RoboReferError | None:
    """Write one shard whole, or nothing of it; return why a sample of it could not be made.

    Args:
        job: what it is a part of.
        shard: its number.
        indices: its samples.
        made_one: called after each sample; may raise to stop.

    Raises:
        OSError: the shard cannot be written: the next one could not be either.
        RoboReferError: CANCELLED, by `made_one`.
    """
    try:
        write_shard(shard_path(job.out, shard), _samples(job, indices, made_one))
    except RoboReferError as error:
        if error.code is ErrorCode.CANCELLED:
            raise
        return error
    return None


def _samples(job: Job, indices: range, made_one: Callable[[], None]) -> Iterator[Sample]:
    for index in indices:
        sample = _sample(job, index)
        if sample is not None:
            yield sample
        made_one()


def _sample(job: Job, index: int) -> Sample | None:
    """Return a sample; whatever is wrong with it ends its shard, not a run of days."""
    try:
        return job.make(index)
    except RoboReferError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        traceback.print_exc(file=sys.stderr)  # a bug, or a file that is broken in a new way
        raise RoboReferError(
            ErrorCode.UNKNOWN,
            f"sample {index} failed: {type(error).__name__}: {' '.join(str(error).split())}",
            "The traceback above says where.",
        ) from error


def died(shard: int) -> RoboReferError:
    """Return the error of a shard whose worker died twice."""
    return RoboReferError(
        ErrorCode.UNKNOWN,
        f"the worker process of shard {shard} died twice (most often for want of memory).",
        "Run the same command again with fewer --workers.",
    )


def raise_failures(failures: Failures, shards: int) -> None:
    """Raise one error that names every shard that was given up; nothing if none was.

    Raises:
        RoboReferError: with the code of the first one.
    """
    if not failures:
        return
    numbers = sorted(failures)
    named = ", ".join(shard_path("", number).stem for number in numbers[:20])
    more = f" and {len(numbers) - 20} more" if len(numbers) > 20 else ""
    first = failures[numbers[0]]
    raise RoboReferError(
        first.code,
        f"{len(numbers)} of {shards} shards could not be made ({named}{more}); "
        f"of the first: {first.message}",
        f"{first.remedy} The others are finished and kept; the same command makes what is missing.",
    )
