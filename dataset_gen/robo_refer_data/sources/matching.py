"""Boxes and labels matched one-to-one by their overlap (paper, section 3.2)."""

from __future__ import annotations

import numpy as np

from robo_refer.types import FloatArray


def iou(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return (n, m) intersection over union of boxes (n, 4) and (m, 4), left top right bottom."""
    a, b = np.reshape(first, (-1, 1, 4)), np.reshape(second, (1, -1, 4))
    common = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.maximum(common, 0).prod(axis=-1)
    areas = [np.maximum(box[..., 2:] - box[..., :2], 0).prod(axis=-1) for box in (a, b)]
    overlap: FloatArray = shared / np.maximum(areas[0] + areas[1] - shared, 1e-9)
    return overlap


def one_to_one(overlap: FloatArray, least: float) -> list[tuple[int, int]]:
    """Return pairs (row, column): each row's best column, of which each keeps its best row.

    Args:
        overlap: (n, m), for example by `iou`.
        least: overlap of a pair; what has less stays alone.
    """
    pairs: list[tuple[int, int]] = []
    if not overlap.size:
        return pairs
    best = overlap.argmax(axis=1)
    for column in np.unique(best):
        rows = np.flatnonzero(best == column)
        row = int(rows[overlap[rows, column].argmax()])
        if overlap[row, column] >= least:
            pairs.append((row, int(column)))
    return pairs


def suppressed(boxes: FloatArray, scores: FloatArray, most: float) -> list[int]:
    """Return the boxes that stay, best first, when none may overlap a better one by over `most`."""
    kept: list[int] = []
    overlap = iou(boxes, boxes)
    for index in np.argsort(-np.asarray(scores), kind="stable"):
        if all(overlap[index, other] <= most for other in kept):
            kept.append(int(index))
    return kept
