"""The relation `corner`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import UNSURE, YES, Truth, beyond, relation

AT_M, AWAY_M = 0.12, 0.25


@relation(
    "corner",
    "single",
    "world",
    ("at a corner of the {support}", "in a corner of the {support}"),
    margin="between 12 and 25 cm from the corner",
    example="what is at a corner of the table?",
)
def decide(facts: Facts) -> Truth:
    """The object stands on the table, at most 12 cm (box centre, seen from above) from one of its
    corners. It does not from 25 cm on. A round table has no corners.
    """
    outline = facts.observation.table_outline
    if outline is None or len(outline) > 8:
        return np.full(facts.n, UNSURE, np.int8)
    offset = facts.centre_world[:, None, :2] - outline[None, :, :2]
    nearest = np.sqrt((offset**2).sum(-1)).min(axis=1)
    truth = beyond(-nearest, -AT_M, -AWAY_M)
    truth[(truth == YES) & ~facts.on_table] = UNSURE
    return truth
