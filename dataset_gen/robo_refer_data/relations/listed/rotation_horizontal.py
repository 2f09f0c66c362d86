"""The relation `rotation_horizontal`."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import relation


@relation(
    "rotation_horizontal",
    "measure",
    "camera",
    ("turn away from the camera", "degrees"),
    margin="asked of upright things with a front",
    example="by how many degrees is the laptop turned away from the camera?",
)
def decide(facts: Facts) -> FloatArray:
    """Angle about the vertical between the object's front and the direction towards the camera's
    side of the scene, 0 when it faces the camera, 180 when it faces away, degrees.
    """
    front = facts.fronts_world
    level = np.hypot(front[:, 0], front[:, 1])
    towards = -(front @ facts.forward_world) / np.maximum(level, 1e-9)
    angle = np.degrees(np.arccos(np.clip(towards, -1.0, 1.0)))
    return np.where(facts.points_level, angle, np.nan)
