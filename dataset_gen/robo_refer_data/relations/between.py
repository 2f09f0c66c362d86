"""between: the object between two others.

Definition: o is between X and Y if it lies near the segment that joins them: its foot falls within
the middle 70 % and its distance from the segment is at most 0.35 of the segment's length. Asked
only if exactly one object could pass (middle 90 %, 0.45 in three dimensions) and that one passes
with margin (middle 60 %, 0.25) both in three dimensions and in the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts

HOLD_END, HOLD_OFF = 0.05, 0.45
ASK_END, ASK_OFF = 0.20, 0.25


def between(facts: Facts) -> dict[tuple[int, int], int]:
    """Return {(first, second): answer} for all pairs, first < second, that are safe to ask."""
    if facts.n < 4:  # with three objects "between" is merely "the third one"
        return {}
    clear, possible = clear_and_possible(facts)
    single = (possible.sum(axis=2) == 1) & (clear.sum(axis=2) == 1)
    firsts, seconds = np.nonzero(np.triu(single, 1))
    answers = clear[firsts, seconds].argmax(axis=1)
    held = possible[firsts, seconds, answers]
    return {
        (int(first), int(second)): int(answer)
        for first, second, answer, ok in zip(firsts, seconds, answers, held, strict=True)
        if ok
    }


def clear_and_possible(facts: Facts) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (n, n, n), [first, second, object]: which clearly, which possibly lie between."""
    camera = facts.observation.camera
    image = np.stack([facts.u * camera.width, facts.v * camera.height], axis=1)
    along_3d, off_3d = _along_and_off(facts.centre_world)
    along_2d, off_2d = _along_and_off(image)
    possible = _inside(along_3d, HOLD_END) & (off_3d <= HOLD_OFF)
    clear = _inside(along_3d, ASK_END) & (off_3d <= ASK_OFF)
    clear &= _inside(along_2d, ASK_END) & (off_2d <= ASK_OFF)
    return clear, possible


def _inside(along: FloatArray, end: float) -> np.ndarray:
    return (along >= end) & (along <= 1 - end)


def _along_and_off(points: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(n, n, n) share along the segment i-j and distance from it over its length, of point k."""
    direction = points[None] - points[:, None]
    square = np.maximum((direction**2).sum(-1), 1e-12)
    offset = (points[None] - points[:, None])[:, None]
    along = (
        np.einsum(
            "ijkd,ijd->ijk", np.broadcast_to(offset, (*square.shape, *offset.shape[2:])), direction
        )
        / square[..., None]
    )
    foot = along[..., None] * direction[:, :, None]
    off = np.sqrt(((offset - foot) ** 2).sum(-1) / square[..., None])
    own = np.eye(len(points), dtype=bool)
    off = np.where(own[:, None, :] | own[None, :, :], np.inf, off)
    return along, off
