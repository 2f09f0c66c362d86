"""on_top_of, inside, under: from the support relations that the scene was built with.

Definition: o is on top of X if it stands directly on X; inside X if X holds it; X is under o if o
stands directly on X. What lies on a plate is on it, whatever its rim. Leaning is neither. Asked
only if exactly one object is meant.
"""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY

SHALLOW = ("plate", "tray")
"""Names of things that hold others without anybody saying "inside"."""


def on_top_of(facts: Facts) -> IntArray:
    """For every object as anchor: the one object that stands on it, AMBIGUOUS or EMPTY."""
    return _supported(facts, "on")


def inside(facts: Facts) -> IntArray:
    """For every object as anchor: the one object that lies in it, AMBIGUOUS or EMPTY."""
    return _supported(facts, "in")


def under(facts: Facts) -> IntArray:
    """For every object as anchor: the object that it stands on, AMBIGUOUS or EMPTY."""
    result = np.full(facts.n, AMBIGUOUS)
    for anchor, item in enumerate(facts.observation.objects):
        if item.support_id == 0:
            result[anchor] = EMPTY
        elif item.support_id in facts.index_of and _manner(facts, anchor) == "on":
            result[anchor] = facts.index_of[item.support_id]
    return result


def _supported(facts: Facts, wanted: str) -> IntArray:
    held: dict[int, list[tuple[int, str]]] = {}
    for index, item in enumerate(facts.observation.objects):
        held.setdefault(item.support_id, []).append((index, _manner(facts, index)))
    # Something too small to be listed may lie on or in anything.
    nothing = EMPTY if len(facts.unlisted_ids) == 0 else AMBIGUOUS
    result = np.full(facts.n, nothing)
    for anchor, id_ in enumerate(facts.ids):
        here = held.get(id_, [])
        matching = [index for index, kind in here if kind == wanted]
        if here:
            result[anchor] = matching[0] if len(here) == len(matching) == 1 else AMBIGUOUS
    return result


def _manner(facts: Facts, index: int) -> str:
    """Return how people say that an object is supported: "on", "in" or "leaning"."""
    item = facts.observation.objects[index]
    support = facts.index_of.get(item.support_id)
    shallow = support is not None and facts.names[support] in SHALLOW
    return "on" if shallow and item.support_kind == "in" else item.support_kind
