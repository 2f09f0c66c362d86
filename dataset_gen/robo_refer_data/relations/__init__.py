"""Spatial relations: exact predicates on a scene's ground truth, with margins against near-ties.

Each module holds one definition, in words, and its functions. `ANCHORED` maps a name to a function
from `Facts` to one outcome per object as anchor: the index of the answer, AMBIGUOUS or EMPTY.
"""

from __future__ import annotations

from collections.abc import Callable

from robo_refer_data.relations.beside import left_of, right_of
from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.in_depth import behind, front_of
from robo_refer_data.relations.just_nearer import just_nearer
from robo_refer_data.relations.proximity import farthest_from, nearest_to, second_nearest
from robo_refer_data.relations.support import inside, on_top_of, under

ANCHORED: dict[str, Callable[[Facts], IntArray]] = {
    "left_of": left_of,
    "right_of": right_of,
    "front_of": front_of,
    "behind": behind,
    "nearest_to": nearest_to,
    "second_nearest": second_nearest,
    "farthest_from": farthest_from,
    "just_nearer": just_nearer,
    "on_top_of": on_top_of,
    "inside": inside,
    "under": under,
}

__all__ = ["ANCHORED", "Facts", "IntArray"]
