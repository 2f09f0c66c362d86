"""Published results as data: every number with its source and protocol, and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from robo_refer.metrics import wilson
from robo_refer_bench.suites import find_suite

_FILE = Path(__file__).with_name("published.yaml")


@dataclass(frozen=True)
class Published:
    """One published number.

    Attributes:
        model, suite, split: whose, and on what; the split "mean" is over splits that are not named.
        percent: the number as printed.
        n: items of the split, None where that is not known.
        low, high: ends of its 95 % Wilson interval in percent, None without n. The sources print
            none.
        source, protocol: where it stands, and how it was made.
    """

    model: str
    suite: str
    split: str
    percent: float
    n: int | None
    low: float | None
    high: float | None
    source: str
    protocol: str

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return asdict(self)


@cache
def published() -> tuple[Published, ...]:
    """Return every published number that ships with this release, in the order of the file."""
    found: list[Published] = []
    for table in yaml.safe_load(_FILE.read_text(encoding="utf-8")):
        for model, values in table["scores"].items():
            for column, percent in zip(table["columns"], values, strict=True):
                if percent is not None:
                    found.append(_row(model, column, float(percent), table))
    return tuple(found)


def _row(model: str, column: str, percent: float, table: dict[str, Any]) -> Published:
    suite, split = column.split("/", 1)
    n = find_suite(suite).published_items.get(split)
    interval = None if n is None else wilson(round(percent / 100 * n), n)
    return Published(
        model=model,
        suite=suite,
        split=split,
        percent=percent,
        n=n,
        low=None if interval is None else round(100 * interval.low, 1),
        high=None if interval is None else round(100 * interval.high, 1),
        source=table["source"],
        protocol=table["protocol"],
    )


def text(rows: Sequence[Published]) -> str:
    """Return rows as lines to read, by suite and split, best first."""
    lines: list[str] = []
    for suite, split in dict.fromkeys((row.suite, row.split) for row in rows):
        lines += ["", f"{suite} {split}"]
        chosen = [row for row in rows if (row.suite, row.split) == (suite, split)]
        for row in sorted(chosen, key=lambda row: -row.percent):
            known = "" if row.n is None else f"  (95 %: {row.low}-{row.high}, n {row.n})"
            lines.append(f"  {row.percent:6.2f}  {row.model}{known}  [{row.source}]")
    return "\n".join(lines[1:])
