"""The relation `behind`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.front import decide as front
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "behind",
    "pair",
    "camera",
    ("behind",),
    margin="5 % in depth and 1 cm along the ground",
    example="is the mug behind the box?",
    inverse="front",
)
def decide(facts: Facts) -> Truth:
    """`front` holds from the reference to the subject."""
    return front(facts).T.copy()
