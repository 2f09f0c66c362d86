"""The relation `far_from`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, pairs, relation

FAR, NEAR = 3.0, 1.5


@relation(
    "far_from",
    "pair",
    "none",
    ("far from", "far away from"),
    margin="between 1.5 and 3 times the larger extent of the two",
    example="is the duck far from the lamp?",
    inverse="far_from",
)
def decide(facts: Facts) -> Truth:
    """The gap between the two boxes is at least 3 times the larger extent of the two. It is not,
    where the gap is at most 1.5 times.
    """
    extent = np.asarray(facts.extents)
    larger = np.maximum(extent[:, None], extent[None])
    return pairs(beyond(facts.gap / larger, FAR, NEAR))
