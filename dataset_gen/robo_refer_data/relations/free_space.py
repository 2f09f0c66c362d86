"""Free space on the main table: beside, in front of, behind and between objects.

All geometry is in the plane of the table: `right` is the camera's x axis laid on it, `forward`
points away from the camera. A side is the 90-degree sector from the anchor's centre, up to
max(footprint diagonal, 0.20 m) beyond the footprint; "between" is the convex hull of both
footprints. A pixel belongs to the region if it shows the table's free top there with at least 2 cm
of clearance from every footprint. Regions below 25 cm^2 or 0.4 % of the image are not asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts

CLEARANCE_M = 0.02
REACH_M = 0.20
MIN_AREA_M2 = 0.0025
MIN_IMAGE_SHARE = 0.004
MAX_GAP_M = 0.60
_BORDER_M = 2 * CLEARANCE_M
_CELL_M = 0.005
_MAX_CELLS = 600


@dataclass(frozen=True)
class FreeRegion:
    """A free region and its best point.

    Attributes:
        mask: (height, width) bool.
        point_norm: the pixel deepest inside the mask, in [0, 1]^2.
    """

    mask: NDArray[np.bool_]
    point_norm: tuple[float, float]


class FreeSpace:
    """The free surface of a scene's table; regions are computed when asked for, then kept."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._regions: dict[tuple[str, int, int], FreeRegion | None] = {}

    def side(self, side: str, anchor: int) -> FreeRegion | None:
        """Return the region on a side ("left", "right", "front", "behind") of an object, if any."""
        key = (side, anchor, -1)
        if key not in self._regions:
            self._regions[key] = self._side(side, anchor) if self.stands(anchor) else None
        return self._regions[key]

    def between(self, first: int, second: int) -> FreeRegion | None:
        """Return the region between two objects, if any."""
        first, second = min(first, second), max(first, second)
        key = ("between", first, second)
        if key not in self._regions:
            asked = first != second and self.stands(first) and self.stands(second)
            self._regions[key] = self._between(first, second) if asked else None
        return self._regions[key]

    def stands(self, index: int) -> bool:
        """Whether an object stands on the main table itself."""
        return bool(self._facts.on_table[index]) and len(self._pixels[0]) > 0

    @cached_property
    def _pixels(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the surface's pixels that no nameless thing is close to."""
        observation = self._facts.observation
        surface = observation.surface & (observation.depth_m > 0)
        if surface.any() and len(self._facts.unlisted_ids):
            clutter = np.isin(observation.instance, self._facts.unlisted_ids).astype(np.uint8)
            nearest = float(observation.depth_m[surface].min())
            radius = int(np.ceil(CLEARANCE_M * observation.camera.fx / nearest))
            size = (2 * radius + 1, 2 * radius + 1)
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)
            surface = surface & (cv2.dilate(clutter, kernel) == 0)
        rows, columns = np.nonzero(surface)
        return rows, columns

    @cached_property
    def _plane(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of the surface's pixels: right and forward in metres, and the area on the table, m^2."""
        observation, camera = self._facts.observation, self._facts.observation.camera
        rows, columns = self._pixels
        z = observation.depth_m[rows, columns].astype(float)
        x = (columns - camera.cx) * (z / camera.fx)
        y = (rows - camera.cy) * (z / camera.fy)
        pose = np.asarray(camera.T_world_cam)
        to_plane = self._axes @ pose[:2]
        right, forward = (a * x + b * y + c * z + d for a, b, c, d in to_plane)
        up_in_cam = pose[2, :3]
        distance = np.abs(up_in_cam[0] * x + up_in_cam[1] * y + up_in_cam[2] * z)
        area = z**3 / (camera.fx * camera.fy * np.maximum(distance, 1e-6))
        return right, forward, area

    @cached_property
    def _axes(self) -> FloatArray:
        """(2, 2) rows: right and forward, in world x and y."""
        return np.stack([self._facts.right_world[:2], self._facts.forward_world[:2]])

    @cached_property
    def _footprints(self) -> list[NDArray[np.float32]]:
        """Convex footprint of every object, (k, 2) right and forward in metres."""
        corners = self._facts.box_points[:, :8, :2] @ self._axes.T
        return [cv2.convexHull(points.astype(np.float32))[:, 0] for points in corners]

    @cached_property
    def _cells(self) -> tuple[NDArray[np.intp], NDArray[np.intp], FloatArray, float]:
        """Grid cell (row, column) of every surface pixel, the grid's origin and its cell size.

        The grid reaches beyond them: an object that hides the table may stand outside of what is
        seen of it, and yet be close.
        """
        right, forward, _ = self._plane
        low = np.array([right.min(), forward.min()]) - _BORDER_M
        span = max(float(right.max() - low[0]), float(forward.max() - low[1])) + _BORDER_M
        cell = max(_CELL_M, span / _MAX_CELLS)
        rows = ((forward - low[1]) / cell + 0.5).astype(int)
        columns = ((right - low[0]) / cell + 0.5).astype(int)
        return rows, columns, low, cell

    def _drawn(self, *polygons: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Grid image with 1 inside the polygons."""
        rows, columns, low, cell = self._cells
        border = int(np.ceil(_BORDER_M / cell))
        shape = (int(rows.max()) + 1 + border, int(columns.max()) + 1 + border)
        grid = np.zeros(shape, np.uint8)
        for polygon in polygons:
            # 4 fractional bits keep the outline to a sixteenth of a cell.
            points = np.round((polygon - low) / cell * 16).astype(np.int32)
            cv2.fillConvexPoly(grid, points, (1.0,), lineType=cv2.LINE_8, shift=4)
        return grid

    @cached_property
    def _clear(self) -> NDArray[np.bool_]:
        """(k,) whether a surface pixel keeps its distance from every object."""
        rows, columns, _, cell = self._cells
        occupied = self._drawn(*self._footprints)
        if not occupied.any():
            return np.ones(len(rows), dtype=bool)
        distance = cv2.distanceTransform(1 - occupied, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) * cell
        return np.asarray(distance[rows, columns] >= CLEARANCE_M + cell)

    def _side(self, side: str, anchor: int) -> FreeRegion | None:
        footprint = self._footprints[anchor]
        centre = (footprint.min(axis=0) + footprint.max(axis=0)) / 2
        half = float(np.linalg.norm(footprint - centre, axis=1).max())
        reach = half + max(2 * half, REACH_M)
        right, forward = self._plane[0] - centre[0], self._plane[1] - centre[1]
        along, across = (right, forward) if side in ("left", "right") else (forward, right)
        along = along if side in ("right", "behind") else -along
        inside = (np.abs(across) <= along) & (right**2 + forward**2 <= reach**2)
        return self._region(inside)

    def _between(self, first: int, second: int) -> FreeRegion | None:
        a, b = self._footprints[first], self._footprints[second]
        if self._facts.gap[first, second] > MAX_GAP_M:
            return None
        hull = cv2.convexHull(np.concatenate([a, b]))[:, 0]
        rows, columns, _, _ = self._cells
        return self._region(self._drawn(hull)[rows, columns] > 0)

    def _region(self, inside: NDArray[np.bool_]) -> FreeRegion | None:
        """Turn a choice of surface pixels into a region, if it is large enough."""
        observation = self._facts.observation
        chosen = inside & self._clear
        if chosen.sum() < MIN_IMAGE_SHARE * observation.surface.size:
            return None
        if float(self._plane[2][chosen].sum()) < MIN_AREA_M2:
            return None
        rows, columns = (indices[chosen] for indices in self._pixels)
        mask = np.zeros(observation.surface.shape, np.uint8)
        mask[rows, columns] = 1
        return FreeRegion(mask.astype(bool), _deepest(mask, rows, columns))


def _deepest(
    mask: NDArray[np.uint8], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[float, float]:
    """Return the pixel of a mask, given also by its pixels, that is farthest from its border."""
    top, left = int(rows.min()), int(columns.min())
    box = mask[top : rows.max() + 1, left : columns.max() + 1]
    # A border of zeros, so that the image's edge counts as an edge of the region.
    depth = cv2.distanceTransform(np.pad(box, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    height, width = mask.shape
    return float((left + column + 0.5) / width), float((top + row + 0.5) / height)
