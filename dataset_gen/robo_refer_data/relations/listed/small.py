"""The relation `small`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.big import decide as big
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "small",
    "pair",
    "none",
    ("smaller than",),
    margin="a factor 1.4 of volume and 5 % of the largest extent",
    example="is the pear smaller than the bowl?",
    inverse="big",
)
def decide(facts: Facts) -> Truth:
    """`big` holds from the reference to the subject."""
    return big(facts).T.copy()
