"""Benchmarks by name: each is one file here and one line below."""

from __future__ import annotations

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.suites.base import Item, Suite
from robo_refer_bench.suites.blink import BLINK
from robo_refer_bench.suites.cv_bench import CV_BENCH
from robo_refer_bench.suites.embspatial import EMBSPATIAL
from robo_refer_bench.suites.generated import GENERATED
from robo_refer_bench.suites.open6dor import OPEN6DOR
from robo_refer_bench.suites.refcoco import REFCOCO
from robo_refer_bench.suites.refspatial_bench import REFSPATIAL_BENCH, REFSPATIAL_EXPAND
from robo_refer_bench.suites.refspatial_sim import REFSPATIAL_SIM
from robo_refer_bench.suites.roborefit import ROBOREFIT
from robo_refer_bench.suites.robospatial_home import ROBOSPATIAL_HOME
from robo_refer_bench.suites.sat import SAT
from robo_refer_bench.suites.screenspot import SCREENSPOT_PRO, SCREENSPOT_V2
from robo_refer_bench.suites.where2place import WHERE2PLACE

__all__ = ["SUITES", "Item", "Suite", "find_split", "find_suite"]

_ALL: tuple[Suite, ...] = (
    REFSPATIAL_BENCH,
    REFSPATIAL_EXPAND,
    WHERE2PLACE,
    ROBOSPATIAL_HOME,
    CV_BENCH,
    BLINK,
    SAT,
    EMBSPATIAL,
    REFCOCO,
    ROBOREFIT,
    OPEN6DOR,
    SCREENSPOT_V2,
    SCREENSPOT_PRO,
    REFSPATIAL_SIM,
    GENERATED,
)

SUITES: dict[str, Suite] = {suite.name: suite for suite in _ALL}


def find_suite(name: str) -> Suite:
    """Return the suite of that name; raises BAD_REQUEST with the names that there are."""
    if name in SUITES:
        return SUITES[name]
    raise RoboReferError(
        ErrorCode.BAD_REQUEST, f"There is no suite {name!r}.", f"Use one of: {', '.join(SUITES)}."
    )


def find_split(suite: Suite, name: str) -> str:
    """Return the published name of a split, whatever its case; raises BAD_REQUEST."""
    for split in suite.splits:
        if split.lower() == name.lower():
            return split
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"{suite.title} has no split {name!r}.",
        f"Use one of: {', '.join(suite.splits)}.",
    )
