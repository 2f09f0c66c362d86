"""The relation `tall`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import (
    Truth,
    beyond,
    both,
    log_ratio,
    minus,
    pairs,
    relation,
)

RATIO = np.log(1.15)
DIFFERENCE_M = 0.01


@relation(
    "tall",
    "pair",
    "world",
    ("taller than",),
    margin="15 % and 1 cm of height",
    example="is the bottle taller than the can?",
    inverse="short",
)
def decide(facts: Facts) -> Truth:
    """The subject's vertical extent is larger than the reference's."""
    return pairs(
        both(beyond(log_ratio(facts.heights), RATIO), beyond(minus(facts.heights), DIFFERENCE_M))
    )
