"""The relation `outside`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.listed.inside import decide as inside
from robo_refer_data.relations.registry import UNSURE, Truth, pairs, relation


@relation(
    "outside",
    "pair",
    "object",
    ("outside", "outside of"),
    margin="1 cm outside of its box",
    example="is the pen outside of the cup?",
    inverse="",
)
def decide(facts: Facts) -> Truth:
    """The subject is not inside the reference (see inside)."""
    held = inside(facts)
    return pairs(np.where(held == UNSURE, UNSURE, 1 - held).astype(np.int8))
