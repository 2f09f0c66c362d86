"""The relation `between`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.between import clear_and_possible
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, UNSURE, YES, Truth, relation


@relation(
    "between",
    "between",
    "world",
    ("between", "in between"),
    margin="the middle 60 to 90 % of the segment, a quarter to 0.45 of its length aside",
    example="what is between the mug and the box?",
)
def decide(facts: Facts) -> Truth:
    """The subject lies near the segment that joins the other two: its foot within the middle 60 %,
    its distance at most a quarter of the length, in space and in the image. It does not, where its
    foot falls outside of the middle 90 % or its distance exceeds 0.45.
    """
    clear, possible = clear_and_possible(facts)
    truth = np.where(clear, YES, np.where(possible, UNSURE, NO)).astype(np.int8)
    first, second, subject = np.ogrid[: facts.n, : facts.n, : facts.n]
    truth[(first == second) | (first == subject) | (second == subject)] = UNSURE
    return truth.transpose(2, 0, 1)
