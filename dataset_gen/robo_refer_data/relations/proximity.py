"""nearest_to, second_nearest, farthest_from: by distance in three dimensions from the anchor.

Definition: the object whose box centre is nearest to (second nearest to, farthest from) the
anchor's. Asked only if those next to it in the order differ by 15 % (10 % for the farthest) and
2 cm, and, for the nearest and the second, if the gap between surfaces agrees, so that a large
neighbour does not make the answer arguable.
"""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.outcome import AMBIGUOUS, clear_minimum

NEAREST_RATIO, FARTHEST_RATIO, DIFFERENCE_M = 1.15, 1.10, 0.02


def nearest_to(facts: Facts) -> IntArray:
    """For every object as anchor: the object nearest to it, or AMBIGUOUS."""
    result = np.full(facts.n, AMBIGUOUS)
    if facts.n < 3:  # with two objects "the nearest to X" is merely "the other one"
        return result
    distance = facts.distance + np.diag(np.full(facts.n, np.inf))
    gap = facts.gap + np.diag(np.full(facts.n, np.inf))
    for anchor in range(facts.n):
        best = clear_minimum(distance[anchor].tolist(), NEAREST_RATIO, DIFFERENCE_M)
        if best >= 0 and gap[anchor, best] <= gap[anchor].min() + 1e-9:
            result[anchor] = best
    return result


def second_nearest(facts: Facts) -> IntArray:
    """For every object as anchor: the second nearest object to it, or AMBIGUOUS."""
    result = np.full(facts.n, AMBIGUOUS)
    if facts.n < 4:
        return result
    distance = facts.distance + np.diag(np.full(facts.n, np.inf))
    gap = facts.gap + np.diag(np.full(facts.n, np.inf))
    for anchor in range(facts.n):
        first = clear_minimum(distance[anchor].tolist(), NEAREST_RATIO, DIFFERENCE_M)
        if first < 0 or gap[anchor, first] > gap[anchor].min() + 1e-9:
            continue
        rest, rest_gap = distance[anchor].copy(), gap[anchor].copy()
        rest[first] = rest_gap[first] = np.inf
        second = clear_minimum(rest.tolist(), NEAREST_RATIO, DIFFERENCE_M)
        if second >= 0 and rest_gap[second] <= rest_gap.min() + 1e-9:
            result[anchor] = second
    return result


def farthest_from(facts: Facts) -> IntArray:
    """For every object as anchor: the object farthest from it, or AMBIGUOUS."""
    result = np.full(facts.n, AMBIGUOUS)
    if facts.n < 3:
        return result
    for anchor in range(facts.n):
        order = np.argsort(facts.distance[anchor])
        best, runner_up = facts.distance[anchor, order[-1]], facts.distance[anchor, order[-2]]
        if best >= FARTHEST_RATIO * runner_up and best - runner_up >= DIFFERENCE_M:
            result[anchor] = order[-1]
    return result
