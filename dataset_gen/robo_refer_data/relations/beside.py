"""left_of, right_of: the nearest object in image x on that side of the anchor.

Definition: the object directly left of X is the one whose centroid is nearest to X's in image x
among those further left. Asked only if no object lies within 0.04 of X in x (of the image width)
and the runner-up is at least 0.04 further away than the answer.
"""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY

MARGIN = 0.04
"""Share of the image width."""


def left_of(facts: Facts) -> IntArray:
    """For every object as anchor: the object directly left of it, AMBIGUOUS or EMPTY."""
    return _beside(facts, -1.0)


def right_of(facts: Facts) -> IntArray:
    """For every object as anchor: the object directly right of it, AMBIGUOUS or EMPTY."""
    return _beside(facts, 1.0)


def _beside(facts: Facts, sign: float) -> IntArray:
    result = np.full(facts.n, AMBIGUOUS)
    offset = sign * (facts.u[None] - facts.u[:, None])  # row: anchor, positive: on that side
    np.fill_diagonal(offset, np.inf)
    blurred = (np.abs(offset) < MARGIN).any(axis=1)
    on_side = np.where(offset > 0, offset, np.inf)
    order = np.argsort(on_side, axis=1)
    for anchor in range(facts.n):
        row = on_side[anchor]
        if blurred[anchor] or facts.n < 2:
            continue
        best, runner_up = order[anchor, 0], order[anchor, 1]
        if not np.isfinite(row[best]):
            unlisted = sign * (facts.unlisted_u - facts.u[anchor])
            result[anchor] = AMBIGUOUS if (unlisted > -MARGIN).any() else EMPTY
        elif row[runner_up] - row[best] >= MARGIN:
            result[anchor] = best
    return result
