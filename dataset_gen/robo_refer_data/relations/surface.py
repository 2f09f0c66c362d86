"""`Surface`: what is seen of a flat top on which things can be put, on a grid of 5 mm.

All geometry is in its plane: `right` is the camera's x axis laid on it, `forward` points away from
the camera, both in metres. Regions are chosen cell by cell, and only then drawn into the image.
"""

from __future__ import annotations

from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts, rows_and_columns

CLEARANCE_M = 0.02
_BORDER_M = 2 * CLEARANCE_M
_CELL_M = 0.005
_MAX_CELLS = 600
_ROUNDED = 1.5  # cells by which two rounded places may lie closer than they seem

Cells = NDArray[np.bool_]
"""(rows, columns) which cells of a surface's grid are chosen."""


class Surface:
    """A flat top.

    Args:
        facts: the scene.
        flat: (k,) its visible pixels, as indices into the flattened image; one at least.
        obstacles: objects to keep clear of.

    Attributes:
        right, forward: (1, columns) and (rows, 1) middles of the grid's cells, metres.
    """

    def __init__(self, facts: Facts, flat: NDArray[np.intp], obstacles: NDArray[np.intp]) -> None:
        self._facts = facts
        self._obstacles = obstacles
        self.flat = flat
        self.image_shape = facts.observation.depth_m.shape
        self._place()

    def _place(self) -> None:
        """Put every pixel into a cell.

        The grid reaches beyond them: an object that hides the surface may stand outside of what is
        seen of it, and yet be close.
        """
        right, forward = self._plane(self.flat)
        low = np.array([right.min(), forward.min()], float) - _BORDER_M
        high = np.array([right.max(), forward.max()], float) + _BORDER_M
        cell = max(_CELL_M, float((high - low).max()) / _MAX_CELLS)
        columns, rows = (int(n) for n in np.ceil((high - low) / cell) + 2)
        self._low, self._cell, self.shape = low, cell, (rows, columns)
        at_column = ((right - np.float32(low[0])) * np.float32(1 / cell) + 0.5).astype(np.int32)
        at_row = ((forward - np.float32(low[1])) * np.float32(1 / cell) + 0.5).astype(np.int32)
        self._cell_of = at_row * np.int32(columns) + at_column
        self._pixels = np.bincount(self._cell_of, minlength=rows * columns)
        self.right = (low[0] + cell * np.arange(columns)[None]).astype(np.float32)
        self.forward = (low[1] + cell * np.arange(rows)[:, None]).astype(np.float32)

    def _plane(self, flat: NDArray[np.intp]) -> FloatArray:
        """Return (2, k): right and forward of pixels, metres."""
        pose = np.asarray(self._facts.observation.camera.T_world_cam)
        to_plane = (self._facts.ground_axes @ pose[:2]).astype(np.float32)
        x, y, z = self._rays(flat)
        return np.stack([z * (a * x + b * y + c) + d for a, b, c, d in to_plane])

    def _rays(self, flat: NDArray[np.intp]) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return x and y over z, and z, of pixels; single precision is 0.1 mm at ten metres."""
        camera = self._facts.observation.camera
        rows, columns = rows_and_columns(flat, self.image_shape[1])
        x = (columns - np.float32(camera.cx)) * np.float32(1 / camera.fx)
        y = (rows - np.float32(camera.cy)) * np.float32(1 / camera.fy)
        return x, y, self._facts.observation.depth_m.ravel()[flat]

    def pixels(self, chosen: Cells) -> int:
        """Return how many pixels some cells have."""
        return int(self._pixels[chosen.ravel()].sum())

    def drawn(self, chosen: Cells) -> NDArray[np.intp]:
        """Return the pixels of some cells, as indices into the flattened image, in order."""
        return self.flat[chosen.ravel()[self._cell_of]]

    def area_m2(self, flat: NDArray[np.intp]) -> float:
        """Return the area on the surface that some of its pixels show."""
        camera = self._facts.observation.camera
        a, b, c = np.asarray(camera.T_world_cam)[2, :3].astype(np.float32)
        x, y, z = self._rays(flat)
        slope = np.maximum(np.abs(a * x + b * y + c), np.float32(1e-6))
        return float((z * z / slope).sum() / (camera.fx * camera.fy))

    def inside(self, *polygons: NDArray[np.float32]) -> Cells:
        """Return the cells in convex polygons, (corners, 2) right and forward."""
        grid = np.zeros(self.shape, np.uint8)
        for polygon in polygons:
            # 4 fractional bits keep the outline to a sixteenth of a cell.
            points = np.round((polygon - self._low) / self._cell * 16).astype(np.int32)
            cv2.fillConvexPoly(grid, points, (1.0,), lineType=cv2.LINE_8, shift=4)
        return grid.view(bool)

    @cached_property
    def clear(self) -> Cells:
        """Which cells keep CLEARANCE_M from every obstacle."""
        occupied = self.inside(*(self._facts.footprints[index] for index in self._obstacles))
        if not occupied.any():
            return ~occupied
        free = (~occupied).view(np.uint8)
        distance = cv2.distanceTransform(free, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        far: Cells = distance >= CLEARANCE_M / self._cell + _ROUNDED
        return far


def table(facts: Facts) -> Surface | None:
    """Return the main table, without pixels that a thing too small to be named is close to."""
    observation = facts.observation
    seen = observation.surface & (observation.depth_m > 0)
    flat = np.flatnonzero(seen)
    if len(facts.unlisted_ids) and len(flat):
        clean = (~np.isin(observation.instance, facts.unlisted_ids)).view(np.uint8)
        nearest = float(observation.depth_m.ravel()[flat].min())
        radius_px = CLEARANCE_M * observation.camera.fx / nearest
        away = cv2.distanceTransform(clean, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        flat = np.flatnonzero(seen & (away > radius_px))
    return Surface(facts, flat, np.arange(facts.n)) if len(flat) else None


TOP_M = 0.01
_KEPT_SHARE = 0.8


def top_of(facts: Facts, index: int) -> Surface | None:
    """Return an object's own top: its pixels at the height of its box, away from the rim.

    The footprint is shrunk to 80 % (paper, section 3.2); what stands on the object is an obstacle.
    """
    observation, camera = facts.observation, facts.observation.camera
    flat = np.flatnonzero(observation.instance == facts.ids[index])
    rows, columns = rows_and_columns(flat, observation.instance.shape[1])
    z = observation.depth_m.ravel()[flat].astype(float)
    rays = np.stack([(columns - camera.cx) / camera.fx * z, (rows - camera.cy) / camera.fy * z, z])
    pose = np.asarray(camera.T_world_cam)
    right, forward = facts.ground_axes @ (pose[:2, :3] @ rays + pose[:2, 3:])
    height = pose[2, :3] @ rays + pose[2, 3]
    outline = facts.footprints[index]
    middle = outline.mean(axis=0)
    shrunk = (middle + _KEPT_SHARE * (outline - middle)).astype(np.float32)
    kept = (np.abs(height - facts.tops[index]) <= TOP_M) & _within(shrunk, right, forward)
    return Surface(facts, flat[kept], facts.standing_on(index)) if kept.any() else None


def _within(outline: NDArray[np.float32], x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Return which points lie inside a convex outline, given in either sense of rotation."""
    edges = np.roll(outline, -1, axis=0) - outline
    turns = [
        edge[0] * (y - corner[1]) - edge[1] * (x - corner[0])
        for edge, corner in zip(edges, outline, strict=True)
    ]
    sides = np.sign(turns)
    return np.asarray((sides >= 0).all(axis=0) | (sides <= 0).all(axis=0))
