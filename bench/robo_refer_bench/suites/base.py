"""What a suite is: items, each a question about a picture with its truth, read from a folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from robo_refer.types import Frame
from robo_refer_bench.suites.bitmask import BitMask

Point = tuple[float, float]
"""(x, y) in [0, 1] of the image, x right and y down."""


@dataclass(frozen=True, eq=False)
class MaskTruth:
    """A point is right where the mask is set.

    Attributes:
        load: reads the mask; it has the size of the picture that was asked about.
    """

    load: Callable[[], BitMask]


@dataclass(frozen=True)
class BoxTruth:
    """A point is right inside the box, edges included.

    Attributes:
        box_px: (left, top, right, bottom) as published: continuous coordinates with the image's
            outer corner at (0, 0) and (width, height).
        size_px: (width, height) of the image, or None: then of the frame.
    """

    box_px: tuple[float, float, float, float]
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True)
class PolygonTruth:
    """A point is right inside the polygon.

    Attributes:
        corners: (x, y) in [0, 1], at least three.
    """

    corners: tuple[Point, ...]


@dataclass(frozen=True)
class ChoiceTruth:
    """One of several options is right.

    Attributes:
        options: their texts, in the order of the letters A, B, C ...
        correct: which is right, 0-based.
    """

    options: tuple[str, ...]
    correct: int


@dataclass(frozen=True, eq=False)
class PlaceTruth:
    """A place in the world is right where `holds` says so.

    Attributes:
        holds: (x, y, z) in metres, in the suite's world frame -> whether the object may be there.
        rule: the same in words and numbers, by which two editions of a suite are told apart.
    """

    holds: Callable[[tuple[float, float, float]], bool]
    rule: str


@dataclass(frozen=True)
class AbsentTruth:
    """What is asked for is not there: exactly the empty answer is right."""


Truth = MaskTruth | BoxTruth | PolygonTruth | ChoiceTruth | PlaceTruth | AbsentTruth


def no_controls() -> Mapping[str, tuple[Point, ...]]:
    """Return the controls of a suite that knows of none."""
    return {}


@dataclass(frozen=True, eq=False)
class Item:
    """One question of a suite.

    Attributes:
        id: stable within its suite and split.
        prompt: the whole instruction as published, without the suffix.
        truth: what is right.
        load_frame: reads the picture, and its depth where the suite has it.
        target: the phrase of the object, for families that are asked by it; "" if there is none.
        suffix: the published words about the format of the answer.
        steps: how many steps of reasoning it takes, as published; 0 if that is not known.
        tags: facts to split scores by.
        picture: name of the picture within the suite. Items about one picture are not independent
            of each other, of whatever split.
        load_controls: reads what every control answers to it (see `robo_refer.metrics.controls`).
        hashed: words that stand in its hash where another item's target does.
    """

    id: str
    prompt: str
    truth: Truth
    load_frame: Callable[[], Frame]
    target: str = ""
    suffix: str = ""
    steps: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    picture: str = ""
    load_controls: Callable[[], Mapping[str, tuple[Point, ...]]] = no_controls
    hashed: str = ""

    def controls(self) -> Mapping[str, tuple[Point, ...]]:
        """Return what every control answers; {} where the suite knows of none."""
        return self.load_controls()

    def frame(self) -> Frame:
        """Return what is seen; raises BAD_FILE or BAD_IMAGE when it cannot be read."""
        return self.load_frame()

    @property
    def instruction(self) -> str:
        """The prompt with its suffix, as most families are asked."""
        return f"{self.prompt} {self.suffix}".strip()


class Suite(Protocol):
    """A benchmark: one file in this folder and one line in `SUITES`.

    Attributes:
        name: as on the command line.
        title: as it is known.
        splits: names of its parts, as published.
        disjoint: the splits that share no item: only these may be pooled.
        published_items: how many items a split has, for those whose number was published.
        how_to_get: what to do to have the data, in a few lines.
    """

    # Properties, so that a frozen dataclass with these fields is one.
    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def splits(self) -> tuple[str, ...]: ...
    @property
    def disjoint(self) -> tuple[str, ...]: ...
    @property
    def published_items(self) -> Mapping[str, int]: ...
    @property
    def how_to_get(self) -> str: ...

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split, in the published order; pictures and masks stay on disk.

        Raises:
            RoboReferError: BAD_FILE when `root` is not laid out as published, BAD_SAMPLE when an
                item cannot be true.
        """
        ...
