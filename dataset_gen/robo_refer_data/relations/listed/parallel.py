"""The relation `parallel`, our own: two things that are lined up."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import UNSURE, Truth, beyond, pairs, relation

ALONG_DEG, ACROSS_DEG = 10.0, 30.0


@relation(
    "parallel",
    "pair",
    "object",
    ("parallel to", "lined up with"),
    margin="between 10 and 30 degrees",
    example="is the pen parallel to the keyboard?",
    inverse="parallel",
    own=True,
)
def decide(facts: Facts) -> Truth:
    """The fronts of the two point the same or the opposite way, seen from above, to within 10
    degrees. They do not from 30 degrees on. Things without a front that points along the ground
    are not asked about.
    """
    flat = facts.fronts_world[:, :2] @ facts.ground_axes.T
    flat = flat / np.maximum(np.hypot(flat[:, 0], flat[:, 1]), 1e-9)[:, None]
    angle = np.degrees(np.arccos(np.clip(np.abs(flat @ flat.T), 0.0, 1.0)))
    truth = beyond(-angle, -ALONG_DEG, -ACROSS_DEG)
    unknown = ~facts.points_level
    truth[unknown[:, None] | unknown[None]] = UNSURE
    return pairs(truth)
