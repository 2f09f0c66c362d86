"""What a client is: something that answers the items of a suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from robo_refer.errors import RoboReferError
from robo_refer.parsing import MAX_ANSWER_CHARACTERS
from robo_refer.types import Frame
from robo_refer_bench.records import OK, Record
from robo_refer_bench.suites.base import Item, Point

LoadFrame = Callable[[], Frame]

UNANSWERED: Mapping[str, Any] = {"unanswered": True}
"""Noted with a reply that is none: who was asked did not answer, or not in its protocol."""


@dataclass(frozen=True, eq=False)
class Asked:
    """An item, with the suite and split that it belongs to."""

    suite: str
    split: str
    item: Item

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others, in records too."""
        return self.suite, self.split, self.item.id


@dataclass(frozen=True)
class Reply:
    """What a client answered to one item.

    Attributes:
        prompt: what it was asked, word by word; "" for who is not asked.
        raw_answer: as it was written.
        points: (x, y) in [0, 1] of the suite's picture, best first; () says that nothing is
            there, None that no point was asked for, or that there is no answer.
        place_m: (x, y, z) in metres in the suite's world frame, where it asks for a place.
        status, error: "ok", or an error code in lower case and its sentence.
        seconds: how long it took.
        image_size: (width, height) of the suite's picture, pixels; (0, 0) if it was not looked at.
        extra: whatever else is worth keeping, JSON-ready.
    """

    prompt: str = ""
    raw_answer: str = ""
    points: tuple[Point, ...] | None = None
    place_m: tuple[float, float, float] | None = None
    status: str = OK
    error: str = ""
    seconds: float = 0.0
    image_size: tuple[int, int] = (0, 0)
    extra: Mapping[str, Any] = field(default_factory=dict)

    def record(self, asked: Asked, client: Client) -> Record:
        """Return the line that is kept of it.

        Of an endless answer so much is kept that it still is too long for every reader.
        """
        return Record(
            suite=asked.suite,
            split=asked.split,
            id=asked.item.id,
            model=client.model,
            family=client.family,
            prompt=self.prompt,
            raw_answer=self.raw_answer[: MAX_ANSWER_CHARACTERS + 1],
            status=self.status,
            error=self.error,
            seconds=round(self.seconds, 4),
            image_size=self.image_size,
            points=self.points,
            place_m=self.place_m,
            extra=self.extra,
        )


def failed(error: RoboReferError, prompt: str, seconds: float) -> Reply:
    """Return the reply that is no answer at all: a miss, with its reason."""
    status = error.code.name.lower()
    return Reply(prompt, status=status, error=error.message, seconds=seconds, extra=UNANSWERED)


class Client(Protocol):
    """Answers items: a model here, a model behind an address, answers of before, or a control.

    Attributes:
        model: its name in records and tables.
        family: how it is asked and read, see `robo_refer.parsing.FAMILIES`; "" for controls.
        fingerprint: what tells its weights, or its file, from others'.
        settings: what else tells its answers from others', JSON-ready: how a server is asked.
        workers: how many calls of `ask` it takes at once.
        by_picture: whether it pays to ask several items about one picture at once.
        sees_depth: whether it looks at the depth of a frame.
    """

    model: str
    family: str
    fingerprint: str
    settings: Mapping[str, Any]
    workers: int
    by_picture: bool
    sees_depth: bool

    def ask(self, items: Sequence[Asked], load_frame: LoadFrame) -> list[Reply]:
        """Return the replies to items about one picture, in their order.

        What goes wrong with one item is its status. Raised is only what concerns all of them.

        Raises:
            RoboReferError: BAD_CHECKPOINT, BAD_FILE or BAD_IMAGE (the suite's own picture).
        """
        ...

    def close(self) -> None:
        """Give up what is in flight: its items are asked again by the next run."""
        ...
