"""Items with what was answered and whether it was right, each beside its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from robo_refer_bench.clients.base import Asked
from robo_refer_bench.clients.controls import ControlClient, control_replies
from robo_refer_bench.records import OK, Record
from robo_refer_bench.scoring import Verdict, strict
from robo_refer_bench.suites.base import Item, MaskTruth, PlaceTruth

NO_ANSWER = "no_answer"


@dataclass(frozen=True, eq=False)
class Scored:
    """One item of a run.

    Attributes:
        asked: the item.
        record: what was answered; None where nothing was, which is a miss.
        verdict: of the strict mode.
        controls: whether each control was right.
    """

    asked: Asked
    record: Record | None
    verdict: Verdict
    controls: Mapping[str, bool] = field(default_factory=dict)

    @property
    def item(self) -> Item:
        return self.asked.item

    @property
    def hit(self) -> bool:
        """Whether the answer is right."""
        return self.verdict.score == 1

    @property
    def picture(self) -> tuple[str, str]:
        """The picture, which answers about it share, also those of other splits."""
        name = self.item.picture or f"{self.asked.split}/{self.item.id}"
        return self.asked.suite, name

    @property
    def refused(self) -> bool:
        """Whether the answer is that nothing is there."""
        return self.record is not None and self.record.points == ()

    @property
    def status(self) -> str:
        """What became of the question: "ok", or why there is no answer to be read."""
        if self.record is None:
            return NO_ANSWER
        if self.record.status == OK and self.verdict.reason == "unparsable_answer":
            return self.verdict.reason
        return self.record.status

    def tag(self, name: str) -> str:
        """A tag of the item, "" where it has none of that name."""
        return self.item.tags.get(name, "")


def score_items(
    asked: Sequence[Asked], records: Sequence[Record], controls: bool = True
) -> list[Scored]:
    """Return every item scored, in order; items without a record are misses.

    Args:
        asked: the items.
        records: the answers to them.
        controls: whether the controls are scored too, which reads every picture's truth.

    Raises:
        RoboReferError: BAD_REQUEST for a family that is not known; BAD_FILE or BAD_IMAGE when the
            suite's own files cannot be read.
    """
    by_key = {record.key: record for record in records}
    found: list[Scored] = []
    for one in asked:
        item = _loaded(one.item)
        record = by_key.get(one.key)
        beside = _controls(one, item) if controls else {}
        found.append(Scored(one, record, strict(record, item), beside))
    return found


def _loaded(item: Item) -> Item:
    """Return the item with its mask read once, for all who are scored on it."""
    if not isinstance(item.truth, MaskTruth):
        return item
    mask = item.truth.load()
    return replace(item, truth=MaskTruth(lambda: mask))


def _controls(one: Asked, item: Item) -> Mapping[str, bool]:
    if isinstance(item.truth, PlaceTruth):
        return {}  # a place in the world is no point of the picture
    return {
        name: strict(reply.record(one, ControlClient(name)), item).score == 1
        for name, reply in control_replies(item).items()
    }
