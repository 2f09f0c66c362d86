"""The relation `rotation_vertical`."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import relation


@relation(
    "rotation_vertical",
    "measure",
    "world",
    ("tilt", "degrees"),
    margin="none: a number",
    example="by how many degrees is the bottle tilted?",
)
def decide(facts: Facts) -> FloatArray:
    """Angle between the object's own upward axis and the vertical: 0 when upright, 90 when lying,
    degrees.
    """
    return np.degrees(np.arccos(np.clip(facts.poses[:, 2, 2], -1.0, 1.0)))
