"""Which questions of a dataset are asked, and whose depth is shown with each frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from robo_refer.data import Sample, read_samples
from robo_refer.data.sample import POINTING
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import FloatArray

HalfChoice = Literal["natural", "decorrelated", "both"]
DepthChoice = Literal["own", "none", "shuffled"]


@dataclass(frozen=True)
class FrameWork:
    """The questions to ask about one frame.

    Attributes:
        position: the sample's place in the dataset.
        sample_id: its id.
        questions: which of its questions, by index.
        donor: position of the sample whose depth is shown, None for no depth.
    """

    position: int
    sample_id: str
    questions: tuple[int, ...]
    donor: int | None


def half_of(sample: Sample) -> str:
    """Return "natural", "decorrelated", or "" for data that has no halves."""
    if "half" in sample.meta:
        return str(sample.meta["half"])
    return str(sample.questions[0].tags.get("half", "")) if sample.questions else ""


def select(
    data: Path, half: HalfChoice, depth: DepthChoice, limit: int | None = None
) -> list[FrameWork]:
    """Return the work, in the order of the dataset.

    Args:
        data: dataset folder or file.
        half: which scenes.
        depth: whose depth is shown. "shuffled" goes round: every frame gets that of the frame
            before it among those of its half and size (the first that of the last), whatever the
            limit, so that a shorter run is the beginning of a longer one.
        limit: how many questions at most, None for all.

    Raises:
        RoboReferError: BAD_REQUEST when nothing is left to ask, or a frame has no other whose
            depth it could be given; BAD_SAMPLE when two samples have one id.
    """
    if limit is not None and limit < 1:
        raise _nothing(f"The limit is {limit} questions", "Ask at least one.")
    outlines = [item for item in _outlines(data) if half in ("both", item.half)]
    donors = _donors(outlines, depth)
    work: list[FrameWork] = []
    left = sum(len(item.questions) for item in outlines) if limit is None else limit
    for item in outlines:
        asked = item.questions[:left]
        if asked:
            left -= len(asked)
            donor = donors[item.position]
            work.append(FrameWork(item.position, item.sample_id, asked, donor))
    if not work:
        raise _nothing(f"There are no questions in {data} (half: {half})", "Choose other data.")
    return work


def read_depth(data: Path, position: int) -> FloatArray | None:
    """Return the (height, width) depth in metres of the sample at `position`, or None."""
    return next(iter(read_samples(data, columns=("depth",), start=position))).depth_m


@dataclass(frozen=True)
class _Outline:
    """What is needed to choose a sample.

    Attributes:
        position: in the dataset.
        size: (width, height), pixels.
        questions: indices of those that are answered by pointing; the others are not asked.
    """

    position: int
    sample_id: str
    half: str
    size: tuple[int, int]
    questions: tuple[int, ...]


def _outlines(data: Path) -> Iterator[_Outline]:
    seen: set[str] = set()
    for position, sample in enumerate(read_samples(data, columns=("questions",))):
        if sample.id in seen:
            raise RoboReferError(
                ErrorCode.BAD_SAMPLE,
                f"Two samples of {data} have the id {sample.id!r}.",
                "Score datasets that were generated with different seeds one by one.",
            )
        seen.add(sample.id)
        pointing = [i for i, q in enumerate(sample.questions) if q.family in POINTING]
        yield _Outline(position, sample.id, half_of(sample), sample.size, tuple(pointing))


def _donors(outlines: list[_Outline], depth: DepthChoice) -> dict[int, int | None]:
    """Return for every position whose depth is shown there."""
    if depth == "none":
        return {item.position: None for item in outlines}
    if depth == "own":
        return {item.position: item.position for item in outlines}
    groups: dict[tuple[str, tuple[int, int]], list[int]] = {}
    for item in outlines:
        groups.setdefault((item.half, item.size), []).append(item.position)
    donors: dict[int, int | None] = {}
    for (half, (width, height)), positions in groups.items():
        if len(positions) < 2:
            raise _nothing(
                f"Only one {width}x{height} frame of half {half!r}: there is no other depth",
                "Shuffle depth on a dataset with more scenes.",
            )
        donors.update(zip(positions, [positions[-1], *positions[:-1]], strict=True))
    return donors


def _nothing(problem: str, remedy: str) -> RoboReferError:
    return RoboReferError(ErrorCode.BAD_REQUEST, f"{problem}.", remedy)
