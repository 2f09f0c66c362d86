"""The relation `inside`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, UNSURE, YES, Truth, pairs, relation

OUTSIDE_M = 0.01
HOLDERS = ("basket", "bowl", "cup", "mug")
"""Names of things that people say something is in."""


@relation(
    "inside",
    "pair",
    "object",
    ("inside", "in"),
    margin="1 cm outside of its box",
    example="is the pen inside the cup?",
    inverse="",
)
def decide(facts: Facts) -> Truth:
    """The reference holds the subject. It does not, once the subject's middle lies 1 cm outside of
    the reference's box. Asked only of things that hold others.
    """
    truth = np.where(facts.middle_outside >= OUTSIDE_M, NO, UNSURE).astype(np.int8)
    truth[facts.supported("in")] = YES
    truth[:, [name not in HOLDERS for name in facts.names]] = UNSURE
    return pairs(truth)
