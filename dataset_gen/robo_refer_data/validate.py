"""Validate a generated dataset: against itself, and against its scenes made again."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from robo_refer.data import Sample, count_samples, read_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.making import MakeSample, make_sample
from robo_refer_data.plan import GENERATOR_VERSION, Plan
from robo_refer_data.sample_checks import Problem, regenerated_problems, stored_problems
from robo_refer_data.scale.workers import single_threaded_children, start_worker

try:
    from tqdm import tqdm
except ImportError as error:
    raise missing_package("tqdm", "data") from error

_ROWS_PER_CHUNK = 32  # a row group of ours: less would read the same rows twice


@dataclass(frozen=True)
class Report:
    """What was looked at, and everything that is wrong with it.

    Attributes:
        samples: number of samples that could be read.
        questions: number of their questions.
        regenerated: number of samples that were made again.
        problems: all that was found, in the order of the files.
    """

    samples: int
    questions: int
    regenerated: int
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready counts and problems."""
        return {
            "samples": self.samples,
            "questions": self.questions,
            "regenerated": self.regenerated,
            "problems": [problem.as_dict() for problem in self.problems],
        }

    def lines(self, most: int = 20) -> list[str]:
        """Return the report for people: up to `most` problems, a line each, then the counts."""
        listed = [
            f"{problem.sample}: {problem.sentence}"
            + (f" [{problem.question}]" if problem.question else "")
            for problem in self.problems[:most]
        ]
        more = len(self.problems) - len(listed)
        again = f", {self.regenerated} scenes made again" if self.regenerated else ""
        found = f"{len(self.problems)} problems" if self.problems else "no problem"
        return [
            *listed,
            *([f"... and {more} more"] if more else []),
            f"{self.samples} scenes, {self.questions} questions{again}: {found}",
        ]


def validate(
    dataset: Path, workers: int = 1, regenerate: bool = False, make: MakeSample = make_sample
) -> Report:
    """Check every sample of a generated dataset, with a progress bar on standard error.

    As stored: answers follow the grammar; points lie on their masks and masks are those of the
    targets; steps are about objects that are there, and point at them; what is absent has no
    point. Made again: the scene of every stored seed is rendered and questioned as it was, which
    executes every program anew, and what is stored must be the same.

    Args:
        dataset: dataset folder, or one Parquet file of it.
        workers: number of processes; 1 works in this one.
        regenerate: also make every scene again (as slow as making the dataset).
        make: makes one sample of the dataset; must be importable in the workers.

    Raises:
        RoboReferError: BAD_FILE where there is no dataset or its manifest cannot be read,
            BAD_REQUEST for less than one worker or a dataset that cannot be made again, UNKNOWN
            when a worker process dies. What is wrong inside of files is a problem, not an error.
    """
    if workers < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"{workers} workers check nothing.", "Choose at least 1."
        )
    counts = {shard: count_samples(shard) for shard in shard_paths(dataset)}
    plan = _plan(dataset, regenerate)
    total = sum(counts.values())
    chunks = [
        _Chunk(shard, first, min(_ROWS_PER_CHUNK, count - first))
        for shard, count in counts.items()
        for first in range(0, count, _ROWS_PER_CHUNK)
    ]
    ids: Counter[str] = Counter()
    questions = 0
    problems: list[Problem] = []
    interval_s = 0.2 if sys.stderr.isatty() else 30  # a log file needs no animation
    with tqdm(total=total, unit="scene", mininterval=interval_s) as bar:
        job = _Job(plan if regenerate else None, make)
        for chunk, seen in zip(chunks, _checked(job, chunks, workers), strict=True):
            ids.update(seen.ids)
            questions += seen.questions
            problems += seen.problems
            bar.update(chunk.count)
    problems += [Problem(id_, "", f"{n} samples have this id.") for id_, n in ids.items() if n > 1]
    if plan is not None and dataset.is_dir() and total != plan.scenes:
        sentence = f"Its manifest promises {plan.scenes} scenes, its files hold {total}."
        problems.append(Problem(str(dataset), "", sentence))
    return Report(ids.total(), questions, ids.total() if regenerate else 0, tuple(problems))


@dataclass(frozen=True)
class _Job:
    """What a worker needs to know: the plan to make samples again from, or None, and how."""

    plan: Plan | None
    make: MakeSample


@dataclass(frozen=True)
class _Chunk:
    """Some rows of a shard: the unit of work."""

    shard: Path
    first: int
    count: int


@dataclass(frozen=True)
class _Seen:
    """What was seen in a chunk."""

    ids: list[str]
    questions: int
    problems: list[Problem]


def _checked(job: _Job, chunks: list[_Chunk], workers: int) -> Iterator[_Seen]:
    check = partial(_check, job)
    if workers == 1:
        yield from map(check, chunks)
        return
    context = multiprocessing.get_context("spawn")  # as for making it
    with (
        single_threaded_children(),
        ProcessPoolExecutor(workers, context, start_worker, (None, None)) as pool,
    ):
        try:
            yield from pool.map(check, chunks)
        except BrokenProcessPool as error:
            raise RoboReferError(
                ErrorCode.UNKNOWN,
                "A worker process died (most often for want of memory).",
                "Run the same command again with fewer workers.",
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _check(job: _Job, chunk: _Chunk) -> _Seen:
    ids: list[str] = []
    questions = 0
    problems: list[Problem] = []
    for item in _read(chunk):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        ids.append(item.id)
        questions += len(item.questions)
        problems += stored_problems(item)
        if job.plan is not None:
            problems += _regenerated(item, job.plan, job.make)
    return _Seen(ids, questions, problems)


def _read(chunk: _Chunk) -> Iterator[Sample | Problem]:
    """Yield the samples of a chunk; a damaged one is a problem, and those behind it still come."""
    row, end = chunk.first, chunk.first + chunk.count
    while row < end:
        try:
            for sample in islice(read_samples(chunk.shard, start=row), end - row):
                row += 1
                yield sample
            return
        except RoboReferError as error:
            if error.code is not ErrorCode.BAD_SAMPLE:  # the file is damaged from here on
                yield Problem(str(chunk.shard), "", error.message)
                return
            yield Problem(_id_at(chunk.shard, row), "", error.message)
            row += 1


def _id_at(shard: Path, row: int) -> str:
    try:
        return next(read_samples(shard, columns=(), start=row)).id
    except RoboReferError:
        return f"{shard.name}, row {row}"


def _regenerated(sample: Sample, plan: Plan, make: MakeSample) -> Iterator[Problem]:
    index = sample.meta.get("index")
    if not isinstance(index, int) or not 0 <= index < plan.scenes:
        sentence = f"Its meta names index {index!r}, which the dataset has not."
        yield Problem(sample.id, "", sentence)
        return
    yield from regenerated_problems(sample, make(plan, index))


def _plan(dataset: Path, needed: bool) -> Plan | None:
    """Return the plan in the dataset's manifest, None if it has none and it is not needed."""
    folder = dataset if dataset.is_dir() else dataset.parent.parent
    path = folder / "manifest.json"
    if not path.is_file():
        if not needed:
            return None
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no {path}, so its scenes cannot be made again.",
            "Give the folder that 'robo-refer data generate' made, or do not regenerate.",
        )
    try:
        manifest = json.loads(path.read_text())
        if "source" in manifest and not needed:  # of real frames
            return None
        plan = Plan.from_manifest(manifest)
    except (OSError, ValueError, TypeError, AttributeError, RoboReferError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} is not the manifest of a dataset.",
            "Restore it, or remove it, and do not regenerate: real frames cannot be.",
        ) from error
    if needed and manifest.get("generator") != GENERATOR_VERSION:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{folder} was made by generator {manifest.get('generator')}, this is generator "
            f"{GENERATOR_VERSION}: its scenes would come out different.",
            "Validate with the release that made it, or do not regenerate.",
        )
    return plan
