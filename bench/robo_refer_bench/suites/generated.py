"""A folder of generated scenes ('robo-refer data generate') as a suite, with all its controls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from robo_refer.data.sample import POINTING, Question, Rle, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Frame
from robo_refer_bench.suites.base import AbsentTruth, Item, MaskTruth, Point, Truth
from robo_refer_bench.suites.bitmask import BitMask


@dataclass(frozen=True)
class Generated:
    """The suite; see `base.Suite` for the attributes. Its only split is the whole folder."""

    name: str = "generated"
    title: str = "generated scenes"
    splits: tuple[str, ...] = ("all",)
    disjoint: tuple[str, ...] = ("all",)
    published_items: Mapping[str, int] = field(default_factory=dict)
    how_to_get: str = "robo-refer data generate --out DIR --scenes 100"

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the questions that are answered by pointing, in the order of the dataset.

        Raises:
            RoboReferError: BAD_FILE, or BAD_SAMPLE when two samples have one id.
        """
        return list(generated_items(root))


def generated_items(root: Path) -> Iterator[Item]:
    """Yield an item for every pointing question of a dataset; pictures are read when needed.

    It has no target: the whole question is the shortest phrase of what it asks for.

    Tags: family, kind, half ("natural", "decorrelated" or ""), target_size (see `coco_size`) and
    whatever the question has, such as its chain of relations, innermost first ("nth_left behind").
    """
    from robo_refer.data import read_samples

    seen: set[str] = set()
    for position, sample in enumerate(read_samples(root, columns=("questions",))):
        if sample.id in seen:
            raise RoboReferError(
                ErrorCode.BAD_SAMPLE,
                f"Two samples of {root} have the id {sample.id!r}.",
                "Score datasets that were generated with different seeds one by one.",
            )
        seen.add(sample.id)
        for index, question in enumerate(sample.questions):
            if question.family in POINTING:
                yield _item(root, position, sample, index, question)


def half_of(sample: Sample) -> str:
    """Return "natural", "decorrelated", or "" for data that has no halves."""
    if "half" in sample.meta:
        return str(sample.meta["half"])
    return str(sample.questions[0].tags.get("half", "")) if sample.questions else ""


def sample_at(root: Path, position: int) -> Sample:
    """Return a whole sample; the few that were read last are kept."""
    return _sample(root, position)


@lru_cache(maxsize=8)
def _sample(root: Path, position: int) -> Sample:
    from robo_refer.data import read_samples

    return next(iter(read_samples(root, start=position)))


def _item(root: Path, position: int, sample: Sample, index: int, question: Question) -> Item:
    return Item(
        id=f"{sample.id}/{index}",
        prompt=question.text,
        truth=_truth(question),
        load_frame=partial(_frame, root, position),
        steps=max(question.hops, 0),
        tags={
            "family": question.family,
            "kind": question.kind,
            "half": half_of(sample),
            **({} if question.mask is None else {"target_size": coco_size(question.mask)}),
            **{name: _word(value) for name, value in question.tags.items() if name != "half"},
        },
        picture=sample.id,
        load_controls=partial(_controls, root, position, index),
        # The last thing on the way to the answer: no phrase of what is asked for.
        hashed=question.answer.steps[-1].target if question.answer.steps else "",
    )


def coco_size(rle: Rle) -> str:
    """Return "small", "medium" or "large" by COCO's limits, 32x32 and 96x96 pixels of a mask.

    They are meant for pictures of about 640x480.
    """
    from robo_refer.data.masks import area

    pixels = area(rle)
    return "small" if pixels < 32**2 else "medium" if pixels <= 96**2 else "large"


def _truth(question: Question) -> Truth:
    return AbsentTruth() if question.mask is None else MaskTruth(partial(_mask, question.mask))


def _mask(rle: Rle) -> BitMask:
    from robo_refer.data.masks import decode

    return BitMask.of(decode(rle))


def _frame(root: Path, position: int) -> Frame:
    sample = sample_at(root, position)
    # Without a camera the answer stays in 2D, which is all that a hit is about.
    return Frame(rgb=sample.rgb, depth_m=sample.depth_m)


def _controls(root: Path, position: int, index: int) -> Mapping[str, tuple[Point, ...]]:
    from robo_refer.metrics.controls import control_points

    return control_points(sample_at(root, position), index)


def _word(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


GENERATED = Generated()
