"""The relation `big`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import Truth, beyond, both, log_ratio, pairs, relation

VOLUME, EXTENT = np.log(1.4), np.log(1.05)


@relation(
    "big",
    "pair",
    "none",
    ("bigger than", "larger than"),
    margin="a factor 1.4 of volume and 5 % of the largest extent",
    example="is the box bigger than the book?",
    inverse="small",
)
def decide(facts: Facts) -> Truth:
    """The subject's oriented box has more volume than the reference's, and its largest extent
    agrees.
    """
    return pairs(
        both(beyond(log_ratio(facts.volumes), VOLUME), beyond(log_ratio(facts.extents), EXTENT))
    )
