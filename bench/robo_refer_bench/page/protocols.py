"""Runs under both protocols, and beside published results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from robo_refer_bench.families import RELEASED
from robo_refer_bench.groups import splits_of
from robo_refer_bench.page.view import letter
from robo_refer_bench.published import published
from robo_refer_bench.recordings import Loaded
from robo_refer_bench.score import Share
from robo_refer_bench.scored import Scored
from robo_refer_bench.scoring import official
from robo_refer_bench.suites.base import MaskTruth

OWN = "robo_refer"
"""Our own models write numbers of their own canvas, which the script would take for the image's."""

STRICT = "strict: the first point of the final answer, every question counts"


@dataclass(frozen=True)
class ModeRow:
    """One run on one split in both modes, in percent.

    Attributes:
        run, letter: which run.
        split: "suite/split".
        strict, n: of every question.
        official, counted: as the released script scores, which leaves out what it cannot parse.
    """

    run: int
    letter: str
    split: str
    strict: float
    n: int
    official: float
    counted: int


def both_modes(runs: Sequence[Loaded]) -> list[ModeRow]:
    """Return a row for every run and split that the released script could score.

    Raises:
        RoboReferError: BAD_FILE or BAD_IMAGE when a mask cannot be read.
    """
    found: list[ModeRow] = []
    for number, run in enumerate(runs):
        family = str(run.settings["family"])
        if family not in RELEASED or family == OWN:
            continue
        for (suite, split), items in splits_of(run.scored).items():
            if all(isinstance(s.item.truth, MaskTruth) for s in items):
                row = _row(number, f"{suite}/{split}", items)
                found += [row] if row is not None else []
    return found


def _row(run: int, split: str, items: Sequence[Scored]) -> ModeRow | None:
    verdicts = [official(s.record, s.item) for s in items if s.record is not None]
    counted = [verdict.score for verdict in verdicts if verdict.counted]
    if not counted:
        return None
    return ModeRow(
        run=run,
        letter=letter(run),
        split=split,
        strict=100 * sum(s.hit for s in items) / len(items),
        n=len(items),
        official=100 * sum(counted) / len(counted),
        counted=len(counted),
    )


@dataclass(frozen=True)
class ResultRow:
    """One number on one split, ours or published, in percent.

    Attributes:
        split: "suite/split".
        model: whose it is.
        run: which of our runs, None for published numbers.
        percent, low, high: with its 95 % interval, None where n is not known.
        n: questions.
        protocol, source: how it was made, and where it stands.
    """

    split: str
    model: str
    run: int | None
    percent: float
    low: float | None
    high: float | None
    n: int | None
    protocol: str
    source: str


def beside_published(runs: Sequence[Loaded]) -> list[ResultRow]:
    """Return the runs and what was published, for every split that something was published on.

    By split, best first. A run that was asked a part of a split only stands there with its n.
    """
    ours: list[ResultRow] = []
    for number, run in enumerate(runs):
        for (suite, split), items in splits_of(run.scored).items():
            share = Share(len(items), sum(s.hit for s in items))
            low, high = share.interval
            ours.append(
                ResultRow(
                    f"{suite}/{split}", f"{letter(number)}: {run.settings['model']}", number,
                    100 * share.value, 100 * low, 100 * high, share.n, STRICT, "this run",
                )
            )  # fmt: skip
    splits = {row.split for row in ours}
    others = [
        ResultRow(
            f"{row.suite}/{row.split}", row.model, None,
            row.percent, row.low, row.high, row.n, row.protocol, row.source,
        )
        for row in published()
        if f"{row.suite}/{row.split}" in splits
    ]  # fmt: skip
    known = {row.split for row in others}
    rows = [row for row in (*ours, *others) if row.split in known]
    return sorted(rows, key=lambda row: (row.split, -row.percent))
