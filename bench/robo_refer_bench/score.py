"""Scored items -> tables: hits with intervals, each beside its controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from robo_refer.metrics import wilson
from robo_refer_bench.clients.controls import PICTURE_ONLY
from robo_refer_bench.groups import groups_of
from robo_refer_bench.scored import Scored
from robo_refer_bench.suites.base import AbsentTruth

READABLE = ("ok",)
"""Statuses of answers that could be read. All others are misses, and counted."""


@dataclass(frozen=True)
class Share:
    """How many of `n`, with the 95 % Wilson interval of the share."""

    n: int
    count: int

    @property
    def value(self) -> float:
        return self.count / self.n

    @property
    def interval(self) -> tuple[float, float]:
        found = wilson(self.count, self.n)
        return found.low, found.high

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready numbers."""
        return {
            "n": self.n,
            "count": self.count,
            "share": round(self.value, 4),
            "interval95": [round(bound, 4) for bound in self.interval],
        }


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: of the group, or the kind.
        half: "natural", "decorrelated", "" for data without halves, or "all".
        model: hits of the model.
        controls: hits on the same questions of every control that answers all of them.
        best: hits of whoever knows each question's kind and half and answers it by the
            picture-only control that is best for it. Chosen on these very questions, so it is an
            upper bound of what such a rule reaches.
        best_rules: that control for every "family/kind" of the row (of the half with more
            questions, where they differ).
    """

    name: str
    half: str
    model: Share
    controls: dict[str, Share]
    best: Share
    best_rules: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {
            "name": self.name,
            "half": self.half,
            "model": self.model.as_dict(),
            "best_heuristic_per_kind": {**self.best.as_dict(), "rules": self.best_rules},
            "controls": {name: share.as_dict() for name, share in self.controls.items()},
        }


@dataclass(frozen=True)
class Report:
    """All tables of a run.

    Attributes:
        settings: how the answers were made.
        frames: how many pictures were asked about.
        groups, kinds: the rows, for every half and for all.
        false_refusals: by half: of the questions whose target is there, how many were refused.
        statuses: how often each status occurred.
    """

    settings: Mapping[str, Any]
    frames: int
    groups: tuple[Row, ...]
    kinds: tuple[Row, ...]
    false_refusals: dict[str, Share]
    statuses: dict[str, int]

    @property
    def unreadable(self) -> int:
        """How many answers could not be read (or not be given); all are misses."""
        return sum(n for status, n in self.statuses.items() if status not in READABLE)


def score(settings: Mapping[str, Any], scored: Sequence[Scored]) -> Report:
    """Return all tables; rows without questions are left out."""
    best = best_rules(scored)
    groups: list[Row] = []
    kinds: list[Row] = []
    refusals: dict[str, Share] = {}
    for half, chosen in _halves(scored).items():
        for name, items in groups_of(chosen).items():
            groups += _row(name, half, items, best)
        for kind in sorted({_kind(s) for s in chosen}):
            kinds += _row(kind, half, [s for s in chosen if _kind(s) == kind], best)
        present = [s for s in chosen if not isinstance(s.item.truth, AbsentTruth)]
        if present:
            refusals[half] = Share(len(present), sum(s.refused for s in present))
    return Report(
        settings=settings,
        frames=len({s.picture for s in scored}),
        groups=tuple(groups),
        kinds=tuple(kinds),
        false_refusals=refusals,
        statuses=dict(sorted(Counter(s.status for s in scored).items())),
    )


def best_rules(scored: Sequence[Scored]) -> dict[tuple[str, str], str]:
    """Return the picture-only control with most hits for every (kind, half)."""
    hits: dict[tuple[str, str], Counter[str]] = {}
    for one in scored:
        counts = hits.setdefault((_kind(one), one.tag("half")), Counter())
        counts.update({name: int(hit) for name, hit in one.controls.items()})
    return {
        key: max((name for name in PICTURE_ONLY if name in counts), key=counts.__getitem__)
        for key, counts in hits.items()
        if counts
    }


def control_hits(scored: Sequence[Scored]) -> Counter[str]:
    """Return the hits of every control that answers all of some items.

    Points and options have other controls: over both together none can be compared.
    """
    common = [name for name in scored[0].controls if all(name in s.controls for s in scored)]
    return Counter({name: sum(s.controls[name] for s in scored) for name in common})


def _kind(scored: Scored) -> str:
    """A two-step question may ask for an object or for free space: the kind alone says not."""
    if scored.tag("kind"):
        return f"{scored.tag('family')}/{scored.tag('kind')}"
    return f"{scored.asked.suite}/{scored.asked.split}"


def _halves(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return all items under "all" and, where there are several halves, each by its own."""
    found = sorted({s.tag("half") for s in scored}, reverse=True)  # natural first
    parts = {half: [s for s in scored if s.tag("half") == half] for half in found}
    return {"all": list(scored), **(parts if len(found) > 1 else {})}


def _row(name: str, half: str, chosen: list[Scored], best: dict[tuple[str, str], str]) -> list[Row]:
    if not chosen:
        return []
    n = len(chosen)
    hits = control_hits(chosen)
    keys = [(_kind(s), s.tag("half")) for s in chosen]
    best_hits = sum(
        s.controls[best[key]] for s, key in zip(chosen, keys, strict=True) if key in best
    )
    # Later entries win: the half with more questions comes last.
    often = [key for key, _ in reversed(Counter(keys).most_common()) if key in best]
    rules = {key[0]: best[key] for key in often}
    return [
        Row(
            name=name,
            half=half,
            model=Share(n, sum(s.hit for s in chosen)),
            controls={control: Share(n, count) for control, count in hits.items()},
            best=Share(n, best_hits),
            best_rules=dict(sorted(rules.items())),
        )
    ]
