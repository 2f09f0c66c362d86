"""The relation `far`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, log_ratio, pairs, relation

MARGIN = 0.05  # in log depth


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
    """The subject's visible surface is farther from the camera than the reference's, by median
    depth.
    """
    return pairs(beyond(log_ratio(facts.depth), MARGIN))
