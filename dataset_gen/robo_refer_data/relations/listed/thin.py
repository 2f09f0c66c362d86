"""The relation `thin`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.wide import decide as wide
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "thin",
    "pair",
    "camera",
    ("thinner than", "narrower than"),
    margin="20 % and 1 cm of width",
    example="is the pen narrower than the book?",
    inverse="wide",
)
def decide(facts: Facts) -> Truth:
    """`wide` holds from the reference to the subject."""
    return wide(facts).T.copy()
