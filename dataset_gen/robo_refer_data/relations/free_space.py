"""Free space on the main table or on top of an object, by the paper's rules (section 3.2).

A side is the 90-degree sector from the anchor's centre, up to max(footprint diagonal, 0.20 m)
beyond the footprint; "between" is the convex hull of both footprints; "facing" the 60-degree sector
into which the anchor's front points, up to 0.40 m beyond the footprint; "aligned" a strip of 8 cm
along that direction, from the anchor on; "apart" a spot of 4 cm radius at a distance from the
anchor's footprint, straight on that side; "on" the anchor's own flat top, its footprint shrunk to
80 %. A pixel belongs to the region if it shows the free surface there with at least 2 cm of
clearance from every footprint. Regions below 25 cm^2 or 0.4 % of the image are not asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.surface import Cells, Surface, table, top_of

REACH_M = 0.20
MIN_AREA_M2 = 0.0025
MIN_IMAGE_SHARE = 0.004
MAX_GAP_M = 0.60
FACING_SLOPE, FACING_REACH_M = 0.577, 0.40  # the tangent of half of 60 degrees
STRIP_M = 0.04
SPOT_M = 0.04

Spot = tuple[str, tuple[int, ...], float]
"""Kind, anchors and distance: a `programs.types.Place` whose anchors were found."""


@dataclass(frozen=True)
class FreeRegion:
    """A free region and its best point.

    Attributes:
        mask: (height, width) bool.
        point_norm: the pixel deepest inside the mask, in [0, 1]^2.
    """

    mask: NDArray[np.bool_]
    point_norm: tuple[float, float]

    def holds(self, point_norm: tuple[float, float]) -> bool:
        """Whether a point in [0, 1]^2 lies in the region."""
        height, width = self.mask.shape
        return bool(self.mask[int(point_norm[1] * height), int(point_norm[0] * width)])


class FreeSpace:
    """The free surfaces of a scene; what is found is kept."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._regions: dict[tuple[Spot, ...], FreeRegion | None] = {}
        self._chosen: dict[Spot, Cells | None] = {}
        self._tops: dict[int, Surface | None] = {}

    @cached_property
    def _table(self) -> Surface | None:
        return table(self._facts)

    def stands(self, index: int) -> bool:
        """Whether an object stands on the main table itself, and some of the table is seen."""
        return bool(self._facts.on_table[index]) and self._table is not None

    def pixels(self, *spots: Spot) -> int:
        """Return how many pixels show the free surface where all of some conditions hold."""
        surface = self._surface(spots)
        chosen = None if surface is None else self._meeting(spots, surface)
        return 0 if surface is None or chosen is None else surface.pixels(chosen)

    def region(self, *spots: Spot) -> FreeRegion | None:
        """Return the free region where all of some conditions hold, if it is large enough."""
        if spots not in self._regions:
            self._regions[spots] = self._region(spots)
        return self._regions[spots]

    def _region(self, spots: tuple[Spot, ...]) -> FreeRegion | None:
        surface = self._surface(spots)
        chosen = None if surface is None else self._meeting(spots, surface)
        height, width = self._facts.observation.depth_m.shape
        least = MIN_IMAGE_SHARE * height * width
        if surface is None or chosen is None or surface.pixels(chosen) < least:
            return None
        flat = surface.drawn(chosen)
        if surface.area_m2(flat) < MIN_AREA_M2:
            return None
        mask = np.zeros(height * width, np.uint8)
        mask[flat] = 1
        drawn = mask.reshape(height, width)
        return FreeRegion(drawn.view(bool), _deepest(drawn, flat))

    def _surface(self, spots: tuple[Spot, ...]) -> Surface | None:
        """Return the surface that some conditions are about."""
        kind, (anchor, *_), _ = spots[0]
        if kind == "on":
            if anchor not in self._tops:
                self._tops[anchor] = top_of(self._facts, anchor)
            return self._tops[anchor]
        standing = all(self.stands(index) for _, found, _ in spots for index in found)
        return self._table if standing else None

    def _meeting(self, spots: tuple[Spot, ...], surface: Surface) -> Cells | None:
        """Return the free cells where all conditions hold, None if one has no meaning here."""
        chosen = surface.clear
        for spot in spots:
            if spot[0] == "on":  # anywhere on it
                continue
            if spot not in self._chosen:
                self._chosen[spot] = PLACES[spot[0]](self._facts, surface, spot)
            met = self._chosen[spot]
            if met is None:
                return None
            chosen = chosen & met
        return chosen


def _deepest(mask: NDArray[np.uint8], flat: NDArray[np.intp]) -> tuple[float, float]:
    """Return the pixel of a mask, given also by its pixels, that is farthest from its border."""
    height, width = mask.shape
    columns = flat % width
    top, bottom = int(flat[0]) // width, int(flat[-1]) // width
    left, right = int(columns.min()), int(columns.max())
    box = mask[top : bottom + 1, left : right + 1]
    # A border of zeros, so that the image's edge counts as an edge of the region.
    padded = cv2.copyMakeBorder(box, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return float((left + column + 0.5) / width), float((top + row + 0.5) / height)


def _axes(facts: Facts, anchor: int, side: str) -> tuple[NDArray[np.float32], float, float, float]:
    """Return the anchor's centre, half its diagonal, and the direction of a side."""
    footprint = facts.footprints[anchor]
    centre = (footprint.min(axis=0) + footprint.max(axis=0)) / 2
    half = float(np.linalg.norm(footprint - centre, axis=1).max())
    right, forward = {"left": (-1, 0), "right": (1, 0), "front": (0, -1), "behind": (0, 1)}[side]
    return centre, half, float(right), float(forward)


def _side(facts: Facts, surface: Surface, spot: Spot) -> Cells:
    centre, half, right, forward = _axes(facts, spot[1][0], spot[0])
    return _sector(surface, centre, (right, forward), 1.0, half + max(2 * half, REACH_M))


def _sector(
    surface: Surface,
    centre: NDArray[np.float32],
    direction: tuple[float, float],
    slope: float,
    reach_m: float,
) -> Cells:
    """Which cells lie within reach in a direction, to a slope on both sides of it."""
    along, across = _turned(surface, centre, direction)
    found: Cells = (np.abs(across) <= slope * along) & (along**2 + across**2 <= reach_m**2)
    return found


def _turned(
    surface: Surface, centre: NDArray[np.float32], direction: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Return how far all cells lie along a direction from a place, and across it, metres."""
    right, forward = surface.right - centre[0], surface.forward - centre[1]
    x, y = np.float32(direction[0]), np.float32(direction[1])
    return x * right + y * forward, y * right - x * forward


def _between(facts: Facts, surface: Surface, spot: Spot) -> Cells | None:
    first, second = spot[1]
    if first == second or facts.gap[first, second] > MAX_GAP_M:
        return None
    both = np.concatenate([facts.footprints[first], facts.footprints[second]])
    return surface.inside(cv2.convexHull(both)[:, 0])


def _front(facts: Facts, anchor: int) -> tuple[float, float] | None:
    """Return where an object's front points on the ground, (right, forward), if it does."""
    if not facts.points_level[anchor]:
        return None
    right, forward = facts.ground_axes @ facts.fronts_world[anchor, :2]
    length = float(np.hypot(right, forward))
    return float(right) / length, float(forward) / length


def _facing(facts: Facts, surface: Surface, spot: Spot) -> Cells | None:
    anchor = spot[1][0]
    direction = _front(facts, anchor)
    if direction is None:
        return None
    centre, half, *_ = _axes(facts, anchor, "left")
    return _sector(surface, centre, direction, FACING_SLOPE, half + FACING_REACH_M)


def _aligned(facts: Facts, surface: Surface, spot: Spot) -> Cells | None:
    direction = _front(facts, spot[1][0])
    if direction is None:
        return None
    centre, *_ = _axes(facts, spot[1][0], "left")
    along, across = _turned(surface, centre, direction)
    found: Cells = (np.abs(across) <= STRIP_M) & (along > 0)
    return found


def _apart(facts: Facts, surface: Surface, spot: Spot) -> Cells:
    centre, _, *direction = _axes(facts, spot[1][0], spot[0].removeprefix("apart_"))
    edge = float(((facts.footprints[spot[1][0]] - centre) @ np.array(direction)).max())
    right, forward = centre + np.array(direction) * (edge + spot[2])
    square = (surface.right - right) ** 2 + (surface.forward - forward) ** 2
    found: Cells = square <= SPOT_M**2
    return found


SIDES = ("left", "right", "front", "behind")
Condition = Callable[[Facts, Surface, Spot], Cells | None]
PLACES: dict[str, Condition] = {
    **dict.fromkeys(SIDES, _side),
    **dict.fromkeys((f"apart_{side}" for side in SIDES), _apart),
    "between": _between,
    "facing": _facing,
    "aligned": _aligned,
}
"""Conditions on a spot of the table; "on" an object is a surface of its own."""
