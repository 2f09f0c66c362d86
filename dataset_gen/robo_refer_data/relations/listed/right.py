"""The relation `right`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.left import decide as left
from robo_refer_data.relations.registry import Truth, relation


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
    """`left` holds from the reference to the subject."""
    return left(facts).T.copy()
