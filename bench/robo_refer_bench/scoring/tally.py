"""Answers of one split -> its score: the denominator, the interval, and why the rest was missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import Interval, wilson
from robo_refer_bench.power import power
from robo_refer_bench.records import Record
from robo_refer_bench.scoring.official import SCRIPT_STOPS, official
from robo_refer_bench.scoring.strict import strict
from robo_refer_bench.scoring.verdict import Verdict
from robo_refer_bench.suites import Item, Suite
from robo_refer_bench.suites.digest import Digest

Mode = Literal["strict", "official"]
POOLED = "pooled"

Judged = tuple[int, int, Verdict]
"""Its place (among the items, or in the file), its number of steps, and what a mode says."""


@dataclass(frozen=True)
class Score:
    """The score of one model on one split, or on the disjoint splits together.

    Attributes:
        suite, split, model, mode: what was scored, and how.
        items: how many items the split has here.
        published_items: how many were published, None where that is not known.
        answered: how many items have an answer in the file.
        scores: of every item in the denominator, 0 to 1.
        reasons: why answers scored less than 1, with their number.
        left_out: answers that are not in the denominator (`official` only), with their reasons.
        by_steps: (number, mean score) of the items with so many steps.
        data_hash: of the items, see `suites.digest`.
    """

    suite: str
    split: str
    model: str
    mode: Mode
    items: int
    published_items: int | None
    answered: int
    scores: tuple[float, ...]
    reasons: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)
    by_steps: Mapping[int, tuple[int, float]] = field(default_factory=dict)
    data_hash: str = ""

    @property
    def n(self) -> int:
        """The denominator."""
        return len(self.scores)

    @property
    def mean(self) -> float:
        """The score, 0 to 1; NaN of nothing. Summed as the released script does."""
        return float(np.mean(self.scores)) if self.scores else float("nan")

    @property
    def interval(self) -> Interval:
        """The 95 % Wilson interval.

        For the shares of `official` it takes every item as right or wrong, and so is a little too
        wide, never too narrow.
        """
        return wilson(round(sum(self.scores)), self.n)

    def detectable(self) -> dict[str, float]:
        """Return the smallest true differences that so many items show, see `power`."""
        if not self.n:
            return {}
        found = power(self.n, min(max(self.mean, 0.05), 0.95))
        return {"unpaired": round(found.unpaired, 4), "paired": round(found.paired, 4)}

    def notes(self) -> list[str]:
        """Return what a reader of the number has to know."""
        found = []
        if self.published_items not in (None, self.items):
            found.append(
                f"the suite was published with {self.published_items} items, not {self.items}"
            )
        if self.answered < self.items:
            gone = self.items - self.answered
            how = "misses" if self.mode == "strict" else "not in the denominator"
            found.append(f"{gone} of {self.items} items have no answer: {how}")
        if self.left_out:
            found.append(f"{sum(self.left_out.values())} answers are left out, as the script does")
        if SCRIPT_STOPS in self.reasons:
            found.append("the released script stops at an answer here, and prints no number")
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields; the score of nothing is None."""
        interval = self.interval
        return {
            "suite": self.suite,
            "split": self.split,
            "model": self.model,
            "mode": self.mode,
            "score": self.mean if self.n else None,
            "interval95": [round(interval.low, 4), round(interval.high, 4)],
            "n": self.n,
            "detectable": self.detectable(),
            "items": self.items,
            "published_items": self.published_items,
            "answered": self.answered,
            "reasons": dict(self.reasons),
            "left_out": dict(self.left_out),
            "by_steps": {
                str(steps): {"n": n, "score": mean} for steps, (n, mean) in self.by_steps.items()
            },
            "data_hash": self.data_hash,
            "notes": self.notes(),
        }


def tally(
    suite: Suite,
    split: str,
    root: Path,
    records: Sequence[Record],
    mode: Mode,
    progress: Callable[[], object] = lambda: None,
    asked: Callable[[Sequence[Item]], Sequence[Item]] = lambda items: items,
) -> Score:
    """Return the score of one model's answers to one split.

    `strict` has every item of the split in its denominator, answered or not; `official` every
    answer that the released script does not pass over, in the order of the file.

    Args:
        suite, split, root: where the items are.
        records: the answers.
        mode: how to score them.
        progress: called after every item.
        asked: which of the items the run was about, where it says that it left some out.

    Raises:
        RoboReferError: as `Suite.items` and the two modes do; BAD_SAMPLE for an answer to an item
            that the split does not have, or, in `strict`, for two answers to one item.
    """
    whole = suite.items(split, root)
    items = asked(whole)
    places = _places(items, records, suite, split, mode)
    wanted = {item.id for item in items}
    digest = Digest()
    found: list[Judged] = []
    for number, item in enumerate(whole):
        digest.add(item)  # of all, so that a part of a split is told from another split
        if item.id in wanted:
            found += _judged(number, item, records, places.get(item.id, []), mode)
        progress()
    found.sort(key=lambda judged: judged[0])
    counted = [(steps, verdict) for _, steps, verdict in found if verdict.counted]
    return Score(
        suite=suite.name,
        split=split,
        model=records[0].model if records else "",
        mode=mode,
        items=len(items),
        published_items=suite.published_items.get(split),
        answered=len(places),
        scores=tuple(verdict.score for _, verdict in counted),
        reasons=_sorted(Counter(v.reason for _, v in counted if v.reason)),
        left_out=_sorted(Counter(v.reason for _, _, v in found if not v.counted)),
        by_steps=_by_steps(counted),
        data_hash=digest.hex(),
    )


def pooled(suite: Suite, scores: Sequence[Score]) -> Score | None:
    """Return the scores of the splits that share no item as one; None unless all of them are there.

    Items are pooled, not means: each counts once.
    """
    parts = [score for score in scores if score.split in suite.disjoint]
    if len(parts) < 2 or len(parts) != len(suite.disjoint):
        return None
    published = [part.published_items for part in parts]
    return Score(
        suite=suite.name,
        split=POOLED,
        model=parts[0].model,
        mode=parts[0].mode,
        items=sum(part.items for part in parts),
        published_items=None if None in published else sum(n or 0 for n in published),
        answered=sum(part.answered for part in parts),
        scores=tuple(score for part in parts for score in part.scores),
        reasons=_sorted(sum((Counter(part.reasons) for part in parts), Counter())),
        left_out=_sorted(sum((Counter(part.left_out) for part in parts), Counter())),
    )


def _judged(
    number: int, item: Item, records: Sequence[Record], places: Sequence[int], mode: Mode
) -> list[Judged]:
    if mode == "strict":
        record = records[places[0]] if places else None
        return [(number, item.steps, strict(record, item))]
    return [(place, item.steps, official(records[place], item)) for place in places]


def _places(
    items: Sequence[Item], records: Sequence[Record], suite: Suite, split: str, mode: Mode
) -> dict[str, list[int]]:
    """Return for every answered item where its answers are."""
    known = {item.id for item in items}
    places: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        if record.id not in known:
            raise _bad(f"An answer is to item {record.id!r}, which {suite.title} {split} has not")
        places.setdefault(record.id, []).append(place)
        if mode == "strict" and len(places[record.id]) > 1:
            raise _bad(f"Item {record.id!r} of {suite.title} {split} is answered twice")
    return places


def _by_steps(found: Sequence[tuple[int, Verdict]]) -> dict[int, tuple[int, float]]:
    groups: dict[int, list[float]] = {}
    for steps, verdict in found:
        groups.setdefault(steps, []).append(verdict.score)
    return {steps: (len(group), float(np.mean(group))) for steps, group in sorted(groups.items())}


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))


def _bad(problem: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_SAMPLE,
        f"{problem}.",
        "Give answers of one run, and the suite that they were made on.",
    )
