"""The relation `back`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, pairs, relation

AWAY_DEG, ASIDE_DEG = 160.0, 120.0


@relation(
    "back",
    "pair",
    "object",
    ("turned away from", "with its back to"),
    margin="between 120 and 160 degrees",
    example="is the laptop turned away from the mug?",
    inverse="",
)
def decide(facts: Facts) -> Truth:
    """The subject's front points away from the reference, seen from above, to within 20 degrees of
    the opposite direction. It does not up to 120 degrees. Things without a front that
    points along the ground are not asked about.
    """
    return pairs(beyond(facts.bearing_deg, AWAY_DEG, ASIDE_DEG))
