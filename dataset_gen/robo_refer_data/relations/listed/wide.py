"""The relation `wide`."""

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

RATIO = np.log(1.2)
DIFFERENCE_M = 0.01


@relation(
    "wide",
    "pair",
    "camera",
    ("wider than",),
    margin="20 % and 1 cm of width",
    example="is the tray wider than the plate?",
    inverse="thin",
)
def decide(facts: Facts) -> Truth:
    """The subject extends further across the view (the camera's x axis) than the reference, in
    metres.
    """
    return pairs(
        both(beyond(log_ratio(facts.widths), RATIO), beyond(minus(facts.widths), DIFFERENCE_M))
    )
