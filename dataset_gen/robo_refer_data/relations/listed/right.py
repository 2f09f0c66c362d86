"""The relation `right`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, minus, pairs, relation

MARGIN = 0.04  # of the image width


@relation(
    "right",
    "pair",
    "image",
    ("to the right of", "right of", "on the right of"),
    margin="0.04 of the image width",
    example="is the mug to the right of the bowl?",
    inverse="left",
)
def decide(facts: Facts) -> Truth:
    """The subject's centroid lies further right in the image than the reference's."""
    return pairs(beyond(minus(facts.u), MARGIN))
