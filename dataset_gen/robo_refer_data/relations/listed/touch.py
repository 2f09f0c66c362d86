"""The relation `touch`."""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, UNSURE, YES, Truth, pairs, relation

APART_M = 0.02


@relation(
    "touch",
    "pair",
    "none",
    ("touching", "in contact with"),
    margin="contact, against 2 cm between the boxes",
    example="is the book touching the box?",
    inverse="touch",
)
def decide(facts: Facts) -> Truth:
    """One of the two stands on, lies in or leans against the other. They do not touch, once 2 cm
    lie between their boxes.
    """
    truth = np.where(facts.gap >= APART_M, NO, UNSURE).astype(np.int8)
    contact = facts.supported("on") | facts.supported("in") | facts.supported("leaning")
    truth[contact | contact.T] = YES
    return pairs(truth)
