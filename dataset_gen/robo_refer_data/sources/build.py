"""Datasets from real frames: the same questions, shards and workers as for rendered scenes."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from robo_refer.data import Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.atomic import write_atomically
from robo_refer_data.generate import check_workers, claim, make_missing, writing_to
from robo_refer_data.plan import GENERATOR_VERSION
from robo_refer_data.questions import ask
from robo_refer_data.relations.facts import Facts
from robo_refer_data.scale.job import Job
from robo_refer_data.sources.captions import captions
from robo_refer_data.sources.source import LeftOutError, Source, open_source

FRAMES_PER_SHARD = 32


@dataclass(frozen=True)
class SourcePlan:
    """Which dataset to make of which frames; two equal plans make equal bytes.

    Attributes:
        kind: a key of `SOURCES`.
        path: folder of the frames.
        config: YAML file of the source, or None.
        frames: their names, in the order of the samples.
        seed: of the choice of questions, 0 <= seed < 2**32.
        questions: how many to ask of a frame, at most.
    """

    kind: str
    path: Path
    config: Path | None
    frames: tuple[str, ...]
    seed: int
    questions: int

    def __post_init__(self) -> None:
        if not 0 <= self.seed < 2**32 or self.questions < 1:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{self.questions} questions of the seed {self.seed} cannot be asked.",
                "Ask at least one, and choose a seed from 0 to 4294967295.",
            )

    def as_manifest(self) -> dict[str, Any]:
        """Return the plan as JSON gives it back."""
        return {
            "source": self.kind,
            "path": str(self.path),
            "config": None if self.config is None else self.config.read_text(),
            "frames": [*self.frames],
            "seed": self.seed,
            "questions": self.questions,
        }


def plan_source(
    kind: str, path: Path, out: Path, config: Path | None, seed: int, questions: int
) -> SourcePlan:
    """Return the plan for all frames of a folder.

    Raises:
        RoboReferError: those of `open_source`; BAD_FILE where there is no frame; BAD_REQUEST for
            a seed that is none, or no questions.
    """
    frames = tuple(open_source(kind, path, out, config).frames())
    if not frames:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"There is no frame for the source {kind!r} in {path}.",
            "Lay the files out as docs/sources.md shows.",
        )
    return SourcePlan(kind, path, config, frames, seed, questions)


def build(out: Path, plan: SourcePlan, workers: int = 1) -> dict[str, int]:
    """Make the dataset of a plan in folder `out`, or what is missing of it.

    Args:
        out: dataset folder; made if it does not exist.
        plan: which dataset.
        workers: number of processes; each loads its own copy of what models it needs.

    Returns:
        Why frames gave no sample -> how many did not.

    Raises:
        RoboReferError: BAD_REQUEST when `out` holds another dataset, or for less than one worker;
            and those of `make_missing`.
    """
    check_workers(workers)
    with writing_to(out):
        claim(out, {"generator": GENERATOR_VERSION, **plan.as_manifest()})
    count = len(plan.frames)
    shards = {
        number: range(first, min(first + FRAMES_PER_SHARD, count))
        for number, first in enumerate(range(0, count, FRAMES_PER_SHARD))
    }
    make_missing(
        Job(out, partial(make_sample, plan, out), GENERATOR_VERSION), shards, workers, unit="frame"
    )
    reasons = (json.loads(file.read_text())["reason"] for file in _left_out(out).glob("*.json"))
    return dict(sorted(Counter(reasons).items()))


def make_sample(plan: SourcePlan, out: Path, index: int) -> Sample | None:
    """Return the sample of a frame; None, with a note in `out`, where it gives none."""
    frame = plan.frames[index]
    source = _opened(plan.kind, plan.path, out, plan.config)
    note = _left_out(out) / f"{index:07d}.json"
    try:
        sample = _sample(plan, source, frame, index)
    except LeftOutError as error:
        text = json.dumps({"frame": frame, "reason": str(error)})
        write_atomically(note, text.encode())
        return None
    note.unlink(missing_ok=True)  # of a run that was stopped, before the frame was corrected
    return sample


def _sample(plan: SourcePlan, source: Source, frame: str, index: int) -> Sample:
    seen = source.see(frame)
    facts = Facts(seen.observation)
    said = captions(facts)
    if said is None:
        raise LeftOutError("things of one name that no order tells apart")
    rng = np.random.default_rng(np.random.SeedSequence([plan.seed, index, 1]))
    questions = ask(seen.observation, rng, plan.questions, seen.families, seen.relations)
    if not questions:
        raise LeftOutError("nothing can be asked about it")
    return Sample(
        id=f"{plan.kind}-{index:07d}",
        rgb=seen.observation.rgb,
        depth_m=seen.observation.depth_m,
        camera=seen.observation.camera,
        objects=seen.observation.objects,
        questions=tuple(questions),
        source=plan.kind,
        meta={
            "frame": frame,
            "generator": GENERATOR_VERSION,
            "captions": {str(id_): text for id_, text in said.items()},
            **seen.meta,
        },
    )


@lru_cache(maxsize=1)
def _opened(kind: str, path: Path, out: Path, config: Path | None) -> Source:
    """Return the source, opened once per process: it may hold models."""
    return open_source(kind, path, out, config)


def _left_out(out: Path) -> Path:
    return out / "left_out"
