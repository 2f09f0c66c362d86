"""The relation `short`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.tall import decide as tall
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "short",
    "pair",
    "world",
    ("shorter than", "less tall than"),
    margin="15 % and 1 cm of height",
    example="is the can shorter than the bottle?",
    inverse="tall",
)
def decide(facts: Facts) -> Truth:
    """`tall` holds from the reference to the subject."""
    return tall(facts).T.copy()
