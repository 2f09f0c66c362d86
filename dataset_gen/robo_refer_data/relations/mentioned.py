"""Which of the registered relations a question is about."""

from __future__ import annotations

from robo_refer.data.sample import Question
from robo_refer_data.relations.registry import RELATIONS

BEHIND_OPERATIONS = {
    "left_of": "left",
    "right_of": "right",
    "front_of": "front",
    "nearest_to": "distance",
    "farthest_from": "distance",
    "just_nearer": "close",
    "on_top_of": "above_world",
    "under": "below_world",
    "nth_left": "left",
    "nth_right": "right",
    "nth_front": "close",
    "nearest_camera": "close",
    "farthest_camera": "far",
    "biggest": "big",
    "smallest": "small",
    "tallest": "tall",
    "shortest": "short",
    "free_left": "free_space",
    "free_right": "free_space",
    "free_front": "free_space",
    "free_behind": "free_space",
    "free_between": "free_space",
}
"""The relation that an operation of a program picks by, where it is not of the same name."""


def relations_of(question: Question) -> frozenset[str]:
    """Return the names of the relations of `RELATIONS` that a question mentions or asks about."""
    named = [*question.tags.get("chain", ()), *question.tags.get("true", ())]
    relations = (BEHIND_OPERATIONS.get(name, name) for name in named)
    return frozenset(name for name in relations if name in RELATIONS)
