"""Predictions -> tables: hits with intervals, by group, kind and half, each beside its controls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from robo_refer.metrics import wilson
from robo_refer.metrics.controls import CONTROLS
from robo_refer_bench.predictions import Prediction, RunSettings

CAMERA_EXTREMES = ("nearest_camera", "farthest_camera")
READABLE = ("ok", "no_depth", "no_target")
"""Statuses of answers that could be read. All others are misses, and counted."""

Chooses = Callable[[Prediction], bool]


def _object(prediction: Prediction, hops: int) -> bool:
    return prediction.family == "object" and prediction.hops == hops


def _naming(unique: bool) -> Chooses:
    return lambda p: _object(p, 0) and p.tags.get("colour_unique") is unique


GROUPS: dict[str, Chooses] = {
    "naming": lambda p: _object(p, 0),
    "naming, colour unique": _naming(True),
    "naming, colour shared": _naming(False),
    "single-step relations": lambda p: _object(p, 1) and p.kind not in CAMERA_EXTREMES,
    "nearest, farthest": lambda p: _object(p, 1) and p.kind in CAMERA_EXTREMES,
    "two steps": lambda p: _object(p, 2),
    "three steps": lambda p: _object(p, 3),
    "by a relation": lambda p: p.family == "relation",
    "reasoning, two and three steps": lambda p: p.family == "reasoning" and p.hops <= 3,
    "reasoning, four and five steps": lambda p: p.family == "reasoning" and p.hops > 3,
    "free space": lambda p: p.family == "free_space",
    "absent, refused": lambda p: p.family == "absent",
    "all": lambda p: True,
}
"""The groups that accuracy is reported by."""


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
        controls: hits of every control on the same questions.
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
        settings: how the predictions were made.
        frames: how many frames were asked about.
        groups, kinds: the rows, for every half and for all.
        false_refusals: by half: of the questions whose target is there, how many were refused.
        statuses: how often each status occurred.
    """

    settings: RunSettings
    frames: int
    groups: tuple[Row, ...]
    kinds: tuple[Row, ...]
    false_refusals: dict[str, Share]
    statuses: dict[str, int]

    @property
    def unreadable(self) -> int:
        """How many answers could not be read (or not be given); all are misses."""
        return sum(n for status, n in self.statuses.items() if status not in READABLE)


def score(settings: RunSettings, predictions: Sequence[Prediction]) -> Report:
    """Return all tables; rows without questions are left out."""
    halves = _halves(predictions)
    best = best_rules(predictions)
    groups: list[Row] = []
    kinds: list[Row] = []
    refusals: dict[str, Share] = {}
    for half, chosen in halves.items():
        for name, chooses in GROUPS.items():
            groups += _row(name, half, [p for p in chosen if chooses(p)], best)
        for key in sorted({_kind(p) for p in chosen}):
            kinds += _row(key, half, [p for p in chosen if _kind(p) == key], best)
        present = [p for p in chosen if p.family != "absent"]
        if present:
            refusals[half] = Share(len(present), sum(p.refused for p in present))
    return Report(
        settings=settings,
        frames=len({p.sample for p in predictions}),
        groups=tuple(groups),
        kinds=tuple(kinds),
        false_refusals=refusals,
        statuses=dict(sorted(Counter(p.status for p in predictions).items())),
    )


def best_rules(predictions: Sequence[Prediction]) -> dict[tuple[str, str], str]:
    """Return the picture-only control with most hits for every (family/kind, half)."""
    hits: dict[tuple[str, str], Counter[str]] = {}
    for prediction in predictions:
        counts = hits.setdefault((_kind(prediction), prediction.half), Counter())
        counts.update(prediction.control_hits)
    names = [name for name, control in CONTROLS.items() if control.picture_only]
    return {key: max(names, key=lambda name: counts[name]) for key, counts in hits.items()}


def _kind(prediction: Prediction) -> str:
    """A two-step question may ask for an object or for free space: the kind alone says not."""
    return f"{prediction.family}/{prediction.kind}"


def _halves(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    """Return all predictions under "all" and, where there are several halves, each by its own."""
    found = sorted({p.half for p in predictions}, reverse=True)  # natural first
    parts = {half: [p for p in predictions if p.half == half] for half in found}
    return {"all": list(predictions), **(parts if len(found) > 1 else {})}


def _row(
    name: str, half: str, chosen: list[Prediction], best: dict[tuple[str, str], str]
) -> list[Row]:
    if not chosen:
        return []
    n = len(chosen)
    hits = Counter(name for p in chosen for name in p.control_hits)
    best_hits = sum(best[_kind(p), p.half] in p.control_hits for p in chosen)
    # Later entries win: the half with more questions comes last.
    often = Counter((_kind(p), p.half) for p in chosen)
    rules = {key[0]: best[key] for key, _ in reversed(often.most_common())}
    return [
        Row(
            name=name,
            half=half,
            model=Share(n, sum(p.hit for p in chosen)),
            controls={control: Share(n, hits[control]) for control in CONTROLS},
            best=Share(n, best_hits),
            best_rules=dict(sorted(rules.items())),
        )
    ]
