"""Benchmarks by name: each is one file here and one line below."""

from __future__ import annotations

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.suites.base import Item, Suite
from robo_refer_bench.suites.generated import GENERATED
from robo_refer_bench.suites.refspatial_bench import REFSPATIAL_BENCH, REFSPATIAL_EXPAND

__all__ = ["SUITES", "Item", "Suite", "find_suite"]

SUITES: dict[str, Suite] = {
    suite.name: suite for suite in (REFSPATIAL_BENCH, REFSPATIAL_EXPAND, GENERATED)
}


def find_suite(name: str) -> Suite:
    """Return the suite of that name; raises BAD_REQUEST with the names that there are."""
    if name in SUITES:
        return SUITES[name]
    raise RoboReferError(
        ErrorCode.BAD_REQUEST, f"There is no suite {name!r}.", f"Use one of: {', '.join(SUITES)}."
    )
