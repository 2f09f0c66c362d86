"""The relation `above_world`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, UNSURE, Truth, beyond, minus, pairs, relation

SLACK_M, OVERLAP = 0.01, 0.5


@relation(
    "above_world",
    "pair",
    "world",
    ("above",),
    margin="1 cm of height; half of the smaller footprint",
    example="is the apple above the plate?",
    inverse="below_world",
)
def decide(facts: Facts) -> Truth:
    """The subject's lowest point is no lower than the reference's highest, and the footprints
    overlap by half of the smaller one. It is not, once its middle is lower.
    """
    clear = beyond(facts.bottoms[:, None] - facts.tops[None], -SLACK_M, -np.inf)
    truth = np.where(facts.overlap >= OVERLAP, clear, UNSURE).astype(np.int8)
    truth[minus(facts.centre_world[:, 2]) <= -SLACK_M] = NO
    return pairs(truth)
