"""What a relation says about an anchor: one object, nothing, or nothing that is safe to ask."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

AMBIGUOUS = -1
"""Something may stand in the relation, but not clearly, or not clearly only one."""

EMPTY = -2
"""Clearly nothing stands in the relation."""


def clear_minimum(values: Sequence[float], ratio: float, difference: float) -> int:
    """Return the index of the smallest value if it is smaller by both margins, else AMBIGUOUS.

    Args:
        values: positive numbers; infinity marks what does not take part.
        ratio: the runner-up must be at least this many times the smallest.
        difference: and at least this much larger, in the unit of `values`.
    """
    smallest = min(values, default=inf)
    if smallest == inf:
        return AMBIGUOUS
    best = list(values).index(smallest)
    runner_up = min((value for i, value in enumerate(values) if i != best), default=inf)
    clear = runner_up >= smallest * ratio and runner_up - smallest >= difference
    return best if clear else AMBIGUOUS
