"""The relation `free_space`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.free_space import FreeSpace
from robo_refer_data.relations.registry import relation


@relation(
    "free_space",
    "place",
    "world",
    ("free space", "an empty spot"),
    margin="2 cm of clearance from every footprint",
    example="a free spot to the left of the mug",
)
def decide(facts: Facts) -> FreeSpace:
    """The free part of the table to a side of an object, or between two: a 90-degree sector up to
    the larger of its footprint's diagonal and 20 cm, visible, 2 cm clear of every object (paper,
    free-space rules).
    """
    return FreeSpace(facts)
