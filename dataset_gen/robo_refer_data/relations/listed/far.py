"""The relation `far`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.close import decide as close
from robo_refer_data.relations.registry import Truth, relation


@relation(
    "far",
    "pair",
    "camera",
    ("farther from the camera than", "further away than", "more distant than"),
    margin="5 % in depth",
    example="which is farther from the camera, the mug or the book?",
    inverse="close",
)
def decide(facts: Facts) -> Truth:
    """`close` holds from the reference to the subject."""
    return close(facts).T.copy()
