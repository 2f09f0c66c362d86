"""The relation `behind`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import (
    Truth,
    beyond,
    both,
    log_ratio,
    minus,
    pairs,
    relation,
)

MARGIN, GROUND_M = 0.05, 0.01


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
    """The subject is farther from the camera than the reference, by median visible depth and along
    the ground.
    """
    nearer = beyond(log_ratio(facts.depth), MARGIN)
    ground = beyond(minus(facts.centre_world @ facts.forward_world), GROUND_M)
    return pairs(both(nearer, ground))
