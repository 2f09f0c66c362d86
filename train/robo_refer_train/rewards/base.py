"""What a reward is: a pure function of what was written and of what is true.

A reward is one file with one small frozen dataclass and one line in `REWARDS`. It lies in [0, 1],
is 1 for the truth's own answer, and explains itself. It says 0 for an answer that is wrong or
cannot be read, because that is the writer's fault, and abstains (None) only where nothing can be
said about the answer. Where a dataset cannot serve it, `check` says so before training starts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from robo_refer.data.sample import Rle
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Step

Point = tuple[float, float]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """What is known about one asked item, as far as rewards read it.

    Coordinates are (x right, y down) in [0, 1] of the image. What is not known is None or "".

    Attributes:
        prompt: the instruction, as it was asked.
        size_px: (width, height) of the stated frame: the one in which distances are pixels.
        points: the points asked for; () says that the referent is absent, None that the item is
            not answered by pointing.
        mask: the pixels that count as a hit; any size, the image's proportions.
        steps: the key reasoning steps, in any order.
        reply: the answer in words or as a number, with its unit ("yes", "(b)", "0.42 m").
        boxes: (left, top, right, bottom) of the objects asked for.
        action: the right action on a user interface, as it would be written.
    """

    prompt: str = ""
    size_px: tuple[int, int] | None = None
    points: tuple[Point, ...] | None = None
    mask: Rle | None = None
    steps: tuple[Step, ...] = ()
    reply: str = ""
    boxes: tuple[Box, ...] = ()
    action: str = ""


@dataclass(frozen=True)
class Written:
    """What a model wrote, taken apart. Made by `reading.read_written`.

    Attributes:
        text: all of it, without padding and end marks.
        thinking: what stands in the one think block, None without one.
        final: what stands in the one answer block, or the whole text where there are no blocks;
            None where the blocks are cut off, repeated, nested, or have text beside them.
        points: the final points, strictly parsed; () says that nothing is there, None that
            `final` is not a list of points.
        steps: the lines of `thinking` that are steps of the grammar.
        lines: how many lines `thinking` has, empty ones left out.
    """

    text: str
    thinking: str | None
    final: str | None
    points: tuple[Point, ...] | None
    steps: tuple[Step, ...]
    lines: int


@dataclass(frozen=True)
class Score:
    """One component's verdict.

    Attributes:
        value: in [0, 1], or None: it abstains.
        why: one line that explains the value to a person.
        applies: False where the item is none of this reward's (see `Reward.applies`).
    """

    value: float | None
    why: str
    applies: bool = True


class Reward(Protocol):
    """Scores answers. Subclasses are frozen dataclasses whose fields are their thresholds."""

    @property
    def name(self) -> str:
        """The name in `REWARDS`, in logs and in reports."""
        ...

    def applies(self, truth: Truth) -> bool:
        """Tell whether this reward has anything to say about answers to this item.

        Where it has not, it is no part of the item's sum. That is for what an item may rightly be
        without, such as key steps: it is the same for all answers of a group.
        """
        return True

    def check(self, truth: Truth) -> None:
        """Do nothing where the item can be scored; called on every item before training.

        Raises:
            RoboReferError: BAD_SAMPLE for an item that lacks what this reward reads.
        """
        return None

    def ready(self) -> None:
        """Do nothing where anything can be scored at all; called once before training.

        Raises:
            RoboReferError: why not (a judge that does not answer).
        """
        return None

    def prepare(self, pairs: Sequence[tuple[Written, Truth]]) -> None:
        """Do at once what is slow singly; called with whole groups before they are scored."""
        return None

    def __call__(self, written: Written, truth: Truth) -> Score:
        """Return the verdict about one answer to an item that `check` accepts."""
        ...


def cannot_serve(reward: str, lack: str) -> RoboReferError:
    """Return the error for an item that lacks what a reward reads ("no mask")."""
    return RoboReferError(
        ErrorCode.BAD_SAMPLE,
        f"The reward '{reward}' cannot score this item: it has {lack}.",
        "Leave such items out, or take the reward out of the mix.",
    )
