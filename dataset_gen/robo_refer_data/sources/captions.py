"""Captions by rule: name and colour, and where several are alike, their place in a row.

For things of the same name the axis with the largest spread decides (paper, section 3.1.6): left
to right, near to far, or top to bottom.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts

ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_FIRST_WORDS = ("leftmost", "nearest", "topmost")
_COUNTED_FROM = ("from the left", "from the front", "from the top")
_MIN_STEP = np.array([0.02, 0.04, 0.02])
"""Least distance between neighbours: of the image's width, of depth, of the image's height."""


def captions(facts: Facts) -> dict[int, str] | None:
    """Return a caption per object id, each of one object only; None where no order tells them.

    Args:
        facts: of the frame.
    """
    found: dict[int, str] = {}
    for name in dict.fromkeys(facts.names):
        alike = facts.matching(name=name)
        colours = [facts.colours[index] for index in alike]
        if len(alike) == 1 or (all(colours) and len(set(colours)) == len(alike)):
            for index in alike:
                found[facts.ids[index]] = _described(facts, index)
            continue
        ranked = _ranked(facts, alike)
        if ranked is None:
            return None
        axis, order = ranked
        for rank, index in enumerate(order):
            noun = name if len({*colours}) > 1 else f"{colours[0]} {name}".strip()
            found[facts.ids[index]] = _in_row(axis, rank, noun)
    return found


def _described(facts: Facts, index: int) -> str:
    return f"the {facts.colours[index]} {facts.names[index]}".replace("  ", " ")


def _in_row(axis: int, rank: int, noun: str) -> str:
    if rank == 0:
        return f"the {_FIRST_WORDS[axis]} {noun}"
    return f"the {ORDINALS[rank]} {noun} {_COUNTED_FROM[axis]}"


def _ranked(facts: Facts, alike: Sequence[int]) -> tuple[int, list[int]] | None:
    """Return the axis with the largest spread and the objects along it, None if some are level."""
    if len(alike) > len(ORDINALS):
        return None
    chosen = np.array(alike)
    along: FloatArray = np.stack(
        [facts.u[chosen], np.log(np.maximum(facts.depth[chosen], 1e-3)), facts.v[chosen]]
    )
    axis = int((along.std(axis=1) / _MIN_STEP).argmax())
    order = np.argsort(along[axis], kind="stable")
    if (np.diff(along[axis][order]) < _MIN_STEP[axis]).any():
        return None
    return axis, [int(index) for index in chosen[order]]
