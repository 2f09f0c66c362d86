"""The relation `face`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, pairs, relation

TOWARDS_DEG, ASIDE_DEG = 20.0, 60.0


@relation(
    "face",
    "pair",
    "object",
    ("facing",),
    margin="between 20 and 60 degrees",
    example="is the laptop facing the mug?",
    inverse="faced",
)
def decide(facts: Facts) -> Truth:
    """The subject's front points at the reference, seen from above, to within 20 degrees. It does
    not from 60 degrees on. Things without a front that points along the ground are not asked
    about.
    """
    return pairs(beyond(-facts.bearing_deg, -TOWARDS_DEG, -ASIDE_DEG))
