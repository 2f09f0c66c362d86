"""`Thing`: what a source knows about one object of a frame, and its box where it must be measured.

Boxes of masked point clouds are axis-aligned in the world (paper, section 3.1). What is hidden is
not in a cloud: a thing with nothing under it is taken to reach down to the support.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray

RESTS_M = 0.05
OVERLAP = 0.7
GROUND, UNKNOWN = -1, -2
_TRIM = 2.0  # percent of a cloud's ends that are taken for noise
_OUTLIER_M = 0.25  # beyond this and four times the usual deviation a pixel shows something else
_THINNEST_M = 0.005


@dataclass(frozen=True)
class Thing:
    """One named object.

    Attributes:
        name: category, singular lower case.
        mask: (height, width) bool, its visible pixels.
        colour: the colour word that its annotation gives; "" to measure it.
        size_m: (3,) extents of its oriented box along its own axes, metres; None to measure it.
        T_world_obj: (4, 4) pose of the box centre; None to measure it.
        front_obj: unit vector of its front in its own frame, or None.
    """

    name: str
    mask: NDArray[np.bool_]
    colour: str = ""
    size_m: FloatArray | None = None
    T_world_obj: FloatArray | None = None
    front_obj: FloatArray | None = None

    @property
    def given(self) -> bool:
        """Whether its box is annotated."""
        return self.size_m is not None and self.T_world_obj is not None


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in the world, metres: its lowest and its highest corner, each (3,)."""

    low: FloatArray
    high: FloatArray

    @property
    def pose(self) -> FloatArray:
        """(4, 4) pose of its centre."""
        pose = np.eye(4)
        pose[:3, 3] = (self.low + self.high) / 2
        return pose

    @property
    def size_m(self) -> FloatArray:
        """(3,) extents, none thinner than what depth can tell."""
        return np.maximum(self.high - self.low, _THINNEST_M)

    def over(self, other: Box) -> float:
        """Return the share of its footprint that lies over another box, 0 to 1."""
        common = np.minimum(self.high, other.high)[:2] - np.maximum(self.low, other.low)[:2]
        area = float(np.prod(self.size_m[:2]))
        return float(np.prod(np.maximum(common, 0))) / area


def measured_box(points_world: FloatArray) -> Box | None:
    """Return the box of a cloud (n, 3) without its outliers, None if hardly anything is left."""
    if len(points_world) < 20:
        return None
    middle = np.median(points_world, axis=0)
    away = np.abs(points_world - middle)
    limit = np.maximum(4 * np.median(away, axis=0), _OUTLIER_M)
    kept = points_world[(away <= limit).all(axis=1)]
    if len(kept) < 20:
        return None
    low, high = np.percentile(kept, [_TRIM, 100 - _TRIM], axis=0)
    return Box(low, high)


def box_around(size_m: FloatArray, T_world_obj: FloatArray) -> Box:
    """Return the axis-aligned box around an oriented one."""
    half = np.abs(T_world_obj[:3, :3]) @ (np.asarray(size_m) / 2)
    return Box(T_world_obj[:3, 3] - half, T_world_obj[:3, 3] + half)


def supports(boxes: list[Box], given: list[bool], ground_m: float | None) -> list[tuple[int, str]]:
    """Return, per box, what it rests on: an index, GROUND or UNKNOWN; and how.

    On another: that one's top is within 5 cm of its bottom and under 70 % of its footprint (paper,
    section 3.2). In another: its middle lies inside, and it is smaller; but the box measured around
    a bent thing holds what merely lies beside it, so that this is only said of boxes that were
    given, and not known of others.

    Args:
        boxes: of all things.
        given: which of them are annotated, not measured.
        ground_m: height of the main support in the world, None where it is not known.
    """
    found: list[tuple[int, str]] = []
    for index, box in enumerate(boxes):
        others = [(k, other) for k, other in enumerate(boxes) if k != index]
        holders = [k for k, other in others if _inside(box, other)]
        below = [k for k, other in others if _rests(box, other)]
        if holders:
            smallest = min(holders, key=lambda k: float(np.prod(boxes[k].size_m)))
            known = given[index] and given[smallest]
            found.append((smallest, "in") if known else (UNKNOWN, "on"))
        elif below:
            found.append((max(below, key=lambda k: box.over(boxes[k])), "on"))
        elif ground_m is not None and not any(_over_lower(box, other) for _, other in others):
            found.append((GROUND, "on"))
        else:
            found.append((UNKNOWN, "on"))
    return found


def _rests(box: Box, other: Box) -> bool:
    return abs(float(box.low[2] - other.high[2])) <= RESTS_M and box.over(other) >= OVERLAP


def _inside(box: Box, other: Box) -> bool:
    middle = (box.low + box.high) / 2
    within = bool(((middle > other.low) & (middle < other.high)).all())
    return within and box.over(other) >= OVERLAP and float(np.prod(box.size_m / other.size_m)) < 0.5


def _over_lower(box: Box, other: Box) -> bool:
    """Whether a box may lean on, or stand on, one that is lower."""
    return box.over(other) > 1 - OVERLAP and float(other.high[2]) < float(box.high[2])


def grounded(box: Box, ground_m: float) -> Box:
    """Return a box that reaches down to the ground."""
    return Box(np.array([*box.low[:2], min(ground_m, float(box.high[2]) - _THINNEST_M)]), box.high)


def within(box_px: FloatArray, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the part of a mask (height, width) in a box: left, top, right, bottom in pixels."""
    left, top, right, bottom = np.clip(np.rint(box_px), 0, None).astype(int)
    inside = np.zeros(mask.shape, bool)
    inside[top:bottom, left:right] = mask[top:bottom, left:right]
    return inside


def visible_fraction(mask: NDArray[np.bool_], depth_m: FloatArray) -> float:
    """Return an estimate of how much of a thing is seen: its pixels over those and what hides it.

    What hides it are nearer pixels inside of the convex hull of its own.
    """
    contours, _ = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    hull = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(np.concatenate(contours)), (1.0,))
    measured = depth_m[mask]
    near = float(np.median(measured[measured > 0])) if (measured > 0).any() else 0.0
    hiding = (hull > 0) & ~mask & (depth_m > 0) & (depth_m < near - RESTS_M / 2)
    pixels = int(mask.sum())
    return pixels / (pixels + int(hiding.sum()))
