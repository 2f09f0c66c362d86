"""The relation `below_image`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.above_image import decide as above_image
from robo_refer_data.relations.registry import Truth, relation


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
    """`above_image` holds from the reference to the subject."""
    return above_image(facts).T.copy()
