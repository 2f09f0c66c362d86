"""What the page shows, as plain values: bars with intervals, tables, differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from robo_refer_bench.clients.controls import LABELS, PICTURE_ONLY
from robo_refer_bench.compare import Difference, difference
from robo_refer_bench.groups import distinct, facets_of, groups_of, pooled, splits_of
from robo_refer_bench.recordings import Loaded
from robo_refer_bench.report import how, who
from robo_refer_bench.score import Share, control_hits
from robo_refer_bench.scored import Scored
from robo_refer_bench.suites import find_suite
from robo_refer_bench.suites.generated import GENERATED


@dataclass(frozen=True)
class Bar:
    """The accuracy of one run on one group; all shares in percent."""

    run: int
    value: float
    low: float
    high: float
    count: int
    n: int


@dataclass(frozen=True)
class Line:
    """One group: a bar for every run that was asked it, and its strongest picture-only control.

    Attributes:
        name: of the group.
        bars: one for each run.
        control: percent of the strongest control that looks at the picture alone, None where the
            suite has none.
        control_name: which that is.
    """

    name: str
    bars: tuple[Bar, ...]
    control: float | None
    control_name: str


@dataclass(frozen=True)
class Chart:
    """Groups side by side; of a whole suite, or of one of its facets."""

    title: str
    lines: tuple[Line, ...]
    facet: bool = False


@dataclass(frozen=True)
class RunView:
    """One run: its name, how it was asked, and what became of its questions.

    `hits` and `n` leave out splits that repeat the questions of others.
    """

    letter: str
    name: str
    detail: str
    n: int
    hits: int
    reasons: tuple[tuple[str, int], ...]


def run_views(runs: Sequence[Loaded]) -> list[RunView]:
    """Return the runs with why their misses are misses."""
    return [
        RunView(
            letter=letter(number),
            name=str(run.settings["model"]),
            detail=f"{who(run.settings)}, {how(run.settings)}",
            n=len(distinct(run.scored)),
            hits=sum(s.hit for s in distinct(run.scored)),
            reasons=tuple(Counter(reason(s) for s in run.scored if not s.hit).most_common()),
        )
        for number, run in enumerate(runs)
    ]


def letter(number: int) -> str:
    """Return the letter of a run, 0-based."""
    return chr(ord("A") + number)


def reason(scored: Scored) -> str:
    """Return why an answer is a miss, in words."""
    return (scored.verdict.reason or scored.status).replace("_", " ")


def charts(runs: Sequence[Loaded]) -> list[Chart]:
    """Return the main chart of every suite, each followed by those of its facets."""
    everything = [s for run in runs for s in run.scored]
    found: list[Chart] = []
    for suite in dict.fromkeys(s.asked.suite for s in everything):
        by_run = [[s for s in run.scored if s.asked.suite == suite] for run in runs]
        # The title names the suite: its splits need not.
        main = [
            {name.removeprefix(f"{suite}/"): items for name, items in _main(scored).items()}
            for scored in by_run
        ]
        found.append(_chart(find_suite(suite).title, main))
        facets = [{f.title: f.groups for f in facets_of(scored)} for scored in by_run]
        for title in dict.fromkeys(title for facet in facets for title in facet):
            groups = [facet.get(title, {}) for facet in facets]
            found.append(replace(_chart(title, groups), facet=True))
    return found


def differences(runs: Sequence[Loaded]) -> list[tuple[str, str, list[Difference]]]:
    """Return every run against the next, on the questions that both were asked."""
    found = []
    for (number, one), (_, other) in pairwise(enumerate(runs)):
        by_key = {s.asked.key: s for s in other.scored}
        both = [s for s in one.scored if s.asked.key in by_key]
        rows = [
            difference(name, [(a, by_key[a.asked.key]) for a in items])
            for name, items in _main(both).items()
        ]
        if rows:
            found.append((letter(number), letter(number + 1), rows))
    return found


def _main(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return the groups of the main chart: those of generated scenes, or splits and their sum."""
    if {s.asked.suite for s in scored} == {GENERATED.name}:
        return groups_of(scored)
    splits = {f"{name}/{split}": items for (name, split), items in splits_of(scored).items()}
    return splits | pooled(scored)


def _chart(title: str, by_run: Sequence[dict[str, list[Scored]]]) -> Chart:
    names = dict.fromkeys(name for groups in by_run for name in groups)
    lines = (_line(name, [groups.get(name, []) for groups in by_run]) for name in names)
    return Chart(title, tuple(lines))


def _line(name: str, by_run: Sequence[Sequence[Scored]]) -> Line:
    bars = []
    for number, items in enumerate(by_run):
        if items:
            share = Share(len(items), sum(s.hit for s in items))
            low, high = share.interval
            bars.append(Bar(number, 100 * share.value, 100 * low, 100 * high, share.count, share.n))
    longest = max(by_run, key=len)
    hits = {c: count for c, count in control_hits(longest).items() if c in PICTURE_ONLY}
    if not hits:
        return Line(name, tuple(bars), None, "")
    best, count = max(hits.items(), key=lambda item: item[1])
    label = LABELS[best] if count else "none hits"
    return Line(name, tuple(bars), 100 * count / len(longest), label)
