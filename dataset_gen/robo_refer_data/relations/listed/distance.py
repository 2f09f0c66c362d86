"""The relation `distance`."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import relation

LEAST_M = 0.05


@relation(
    "distance",
    "measure_pair",
    "none",
    ("distance", "m"),
    margin="asked from 5 cm up",
    example="how far apart are the mug and the bowl?",
)
def decide(facts: Facts) -> FloatArray:
    """Distance between the centres of the two boxes, metres."""
    return np.where(facts.distance >= LEAST_M, facts.distance, np.nan)
