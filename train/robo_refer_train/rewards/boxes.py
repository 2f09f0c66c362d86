"""Visual-RFT's rewards of detection, made safe: overlap, and confidence that fits it."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from robo_refer_train.rewards.base import Box, Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import SPRAY_FACTOR, matched_pairs

Detection = tuple[Box, float]
"""A box and the confidence in it."""


@dataclass(frozen=True)
class _BoxReward(Reward):
    """Scores a JSON list `[{"Position": [left, top, right, bottom], "Confidence": 0.9}, ...]`.

    Coordinates in [0, 1], confidences likewise, 1 where none is written. Boxes are paired with the
    truth's one to one (Hungarian); a pair counts from an IoU of `from_iou` on. One box that is not
    whole, or more than `SPRAY_FACTOR` times as many as there are, and nothing counts.
    Source: Visual-RFT (arXiv:2503.01785) and its code, which pairs greedily.
    """

    from_iou: float = 0.5

    def check(self, truth: Truth) -> None:
        """Refuse items without boxes, or with boxes that have no area."""
        if not truth.boxes:
            raise cannot_serve(self.name, "no boxes")
        if not all(_is_box(box) for box in truth.boxes):
            raise cannot_serve(self.name, "a box without area, or outside [0, 1]")

    def __call__(self, written: Written, truth: Truth) -> Score:
        found = read_detections(written.final)
        if found is None:
            return Score(0.0, "no JSON list of boxes can be read")
        if not found:
            return Score(0.0, "no box was found")
        if len(found) > SPRAY_FACTOR * len(truth.boxes):
            return Score(0.0, f"{len(found)} boxes for {len(truth.boxes)} objects")
        overlaps = iou([box for box, _ in found], truth.boxes)
        overlaps[overlaps <= self.from_iou] = 0.0
        pairs = [(row, overlap) for row, overlap in matched_pairs(overlaps) if overlap > 0]
        why = f"{len(pairs)} of {len(truth.boxes)} objects found by {len(found)} boxes"
        earned = self._earned(pairs, [confidence for _, confidence in found])
        return Score(max(0.0, earned / max(len(found), len(truth.boxes))), why)

    @abstractmethod
    def _earned(self, pairs: Sequence[tuple[int, float]], confidences: Sequence[float]) -> float:
        """Return the sum that is divided by the number of boxes, from (box, IoU) pairs."""


@dataclass(frozen=True)
class BoxIou(_BoxReward):
    """The sum of the pairs' IoU over the larger number of boxes."""

    name = "box_iou"

    def _earned(self, pairs: Sequence[tuple[int, float]], confidences: Sequence[float]) -> float:
        return sum(overlap for _, overlap in pairs)


@dataclass(frozen=True)
class BoxConfidence(_BoxReward):
    """The confidence in paired boxes less that in the others, over the larger number of boxes.

    Visual-RFT pays 1 - c for a box that hits nothing: a hundred boxes with c = 0 earn nearly all.
    Here they earn nothing.
    """

    name = "box_confidence"

    def _earned(self, pairs: Sequence[tuple[int, float]], confidences: Sequence[float]) -> float:
        return 2 * sum(confidences[row] for row, _ in pairs) - sum(confidences)


def read_detections(final: str | None) -> list[Detection] | None:
    """Return the boxes of a JSON list, None where anything in it is not as it should be."""
    try:
        entries = json.loads(final or "", parse_constant=_no_number)
        if not isinstance(entries, list):
            return None
        return [_detection(entry) for entry in entries]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def iou(first: Sequence[Box], second: Sequence[Box]) -> NDArray[np.float64]:
    """Return the (first, second) intersections over unions of boxes."""
    a, b = np.array(first, float)[:, None], np.array(second, float)[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1)
    overlaps: NDArray[np.float64] = np.minimum(shared / (areas - shared), 1.0)  # rounding
    return overlaps


def _detection(entry: Any) -> Detection:
    left, top, right, bottom = (float(value) for value in entry["Position"])
    box, confidence = (left, top, right, bottom), float(entry.get("Confidence", 1.0))
    if not (_is_box(box) and 0 <= confidence <= 1):
        raise ValueError("no box in the image, or no confidence")
    return box, confidence


def _is_box(box: Box) -> bool:
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
