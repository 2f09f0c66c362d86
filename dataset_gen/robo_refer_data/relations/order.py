"""Ordinals: the n-th object from the left, the right or the front, in the scene or of one name.

Definition: left and right count centroids in image x, front counts median depth from the camera.
Asked only if the n-th is 0.04 of the image width (5 % in depth) apart from both its neighbours and
those counted before it are half as far apart, so that their order is not arguable either.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from robo_refer_data.relations.facts import Facts

MARGIN = {"left": 0.04, "right": 0.04, "front": 0.05}


def ordered(facts: Facts, axis: str, among: Sequence[int]) -> tuple[list[int], list[int]]:
    """Count objects along an axis.

    Args:
        facts: the scene.
        axis: "left", "right" or "front".
        among: indices of the objects that are counted.

    Returns:
        The indices in order, and the ranks (1-based) whose object is safe to ask for.
    """
    if axis == "front":
        values = facts.log_depth
    else:
        sign = 1.0 if axis == "left" else -1.0
        values = [sign * u for u in facts.u]
    # Plain lists: for a dozen objects they are several times faster than arrays.
    order = sorted(among, key=lambda index: values[index])
    gaps = [values[b] - values[a] for a, b in pairwise(order)]
    margin = MARGIN[axis]
    safe = []
    for rank in range(1, len(order) + 1):
        beside = gaps[max(rank - 2, 0) : rank]
        before = gaps[: max(rank - 2, 0)]
        if min(beside, default=margin) >= margin and min(before, default=margin) >= margin / 2:
            safe.append(rank)
    return order, safe
