"""The relation `below_image`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, minus, pairs, relation

MARGIN = 0.05  # of the image height


@relation(
    "below_image",
    "pair",
    "image",
    ("lower in the image than", "further down in the picture than"),
    margin="0.05 of the image height",
    example="is the clock lower in the image than the lamp?",
    inverse="above_image",
)
def decide(facts: Facts) -> Truth:
    """The subject's centroid lies lower in the image than the reference's."""
    return pairs(beyond(minus(facts.v), MARGIN))
