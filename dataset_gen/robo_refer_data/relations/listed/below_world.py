"""The relation `below_world`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.above_world import decide as above_world
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "below_world",
    "pair",
    "world",
    ("below", "underneath"),
    margin="1 cm of height; half of the smaller footprint",
    example="is the plate below the apple?",
    inverse="above_world",
)
def decide(facts: Facts) -> Truth:
    """The reference is above the subject (see above_world)."""
    return above_world(facts).T.copy()
