"""The relation `close`."""

from __future__ import annotations

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, log_ratio, pairs, relation

MARGIN = 0.05  # in log depth


@relation(
    "close",
    "pair",
    "camera",
    ("closer to the camera than", "nearer to the camera than"),
    margin="5 % in depth",
    example="which is closer to the camera, the mug or the book?",
    inverse="far",
)
def decide(facts: Facts) -> Truth:
    """The subject's visible surface is nearer to the camera, by median depth."""
    return pairs(beyond(-log_ratio(facts.depth), MARGIN))
