"""The relation `depth`."""

from __future__ import annotations

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import relation


@relation(
    "depth",
    "measure",
    "camera",
    ("distance from the camera", "m"),
    margin="none: a number",
    example="how far is the mug from the camera?",
)
def decide(facts: Facts) -> FloatArray:
    """Median depth of the object's visible pixels along the optical axis, metres."""
    return facts.depth
