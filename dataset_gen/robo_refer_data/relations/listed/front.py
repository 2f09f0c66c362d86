"""The relation `front`."""

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
    "front",
    "pair",
    "camera",
    ("in front of",),
    margin="5 % in depth and 1 cm along the ground",
    example="is the mug in front of the box?",
    inverse="behind",
)
def decide(facts: Facts) -> Truth:
    """The subject is nearer to the camera than the reference, by median visible depth and along
    the ground.
    """
    nearer = beyond(-log_ratio(facts.depth), MARGIN)
    ground = beyond(-minus(facts.centre_world @ facts.forward_world), GROUND_M)
    return pairs(both(nearer, ground))
