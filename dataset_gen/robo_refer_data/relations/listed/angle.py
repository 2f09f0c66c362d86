"""The relation `angle`."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import relation

LEAST_DEG = 5.0


@relation(
    "angle",
    "measure_pair",
    "camera",
    ("angle seen from the camera", "degrees"),
    margin="asked from 5 degrees up",
    example="what is the angle between the mug and the bowl, seen from the camera?",
)
def decide(facts: Facts) -> FloatArray:
    """Angle at the camera between the lines of sight to the two objects, degrees."""
    sight = facts.visible_cam / np.linalg.norm(facts.visible_cam, axis=1, keepdims=True)
    angle = np.degrees(np.arccos(np.clip(sight @ sight.T, -1.0, 1.0)))
    return np.where(angle >= LEAST_DEG, angle, np.nan)
