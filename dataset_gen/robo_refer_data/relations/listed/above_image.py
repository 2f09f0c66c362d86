"""The relation `above_image`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, minus, pairs, relation

MARGIN = 0.05  # of the image height


@relation(
    "above_image",
    "pair",
    "image",
    ("higher in the image than", "further up in the picture than"),
    margin="0.05 of the image height",
    example="is the clock higher in the image than the lamp?",
    inverse="below_image",
)
def decide(facts: Facts) -> Truth:
    """The subject's centroid lies higher in the image than the reference's."""
    return pairs(beyond(-minus(facts.v), MARGIN))
