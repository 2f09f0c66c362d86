"""Which of the registered relations a question is about."""

from __future__ import annotations

from robo_refer.data.sample import Question
from robo_refer_data.relations import listed  # noqa: F401 - registers them
from robo_refer_data.relations.free_space import PLACES
from robo_refer_data.relations.registry import RELATIONS

BEHIND_OPERATIONS = {
    "left_of": "left",
    "right_of": "right",
    "front_of": "front",
    "nearest_to": "distance",
    "second_nearest": "distance",
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
    **{f"free_{kind}": "free_space" for kind in (*PLACES, "on")},
}
"""The relation that an operation of a program picks by, where it is not of the same name."""

OPERATIONS = frozenset({*BEHIND_OPERATIONS, *RELATIONS})
"""All that a question can ask in a row."""


def relations_of(question: Question) -> frozenset[str]:
    """Return the names of the relations of `RELATIONS` that a question mentions or asks about."""
    named = [*question.tags.get("chain", ()), *question.tags.get("true", ())]
    relations = (BEHIND_OPERATIONS.get(name, name) for name in named)
    return frozenset(name for name in relations if name in RELATIONS)
