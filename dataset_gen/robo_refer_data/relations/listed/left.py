"""The relation `left`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, minus, pairs, relation

MARGIN = 0.04  # of the image width


@relation(
    "left",
    "pair",
    "image",
    ("to the left of", "left of", "on the left of"),
    margin="0.04 of the image width",
    example="is the mug to the left of the bowl?",
    inverse="right",
)
def decide(facts: Facts) -> Truth:
    """The subject's centroid lies further left in the image than the reference's."""
    return pairs(beyond(-minus(facts.u), MARGIN))
