"""Triangle meshes from a few primitives: lofts, lathes, extrusions, sweeps, boxes.

Vertices shared between triangles are shaded smooth; a crease is made by repeating vertices.
Everything is small arrays, because a scene builds some hundred of these.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from robo_refer.types import FloatArray

IntArray = NDArray[np.int32]
Vector = Sequence[float] | FloatArray
CREASE_COS = 0.78  # profile corners sharper than ~39 degrees keep a hard edge


@dataclass(frozen=True)
class Mesh:
    """Triangles.

    Attributes:
        vertices: (V, 3) metres.
        faces: (F, 3) vertex indices, counter-clockwise.
        uv: (V, 2) float32 texture coordinates, v upwards, where its surface shows a picture.
    """

    vertices: FloatArray
    faces: IntArray
    uv: NDArray[np.float32] | None = None

    def moved(self, offset: Vector) -> Mesh:
        """Return the mesh shifted by `offset` (3,) metres."""
        return Mesh(self.vertices + np.asarray(offset, dtype=float), self.faces, self.uv)

    def turned(self, rotation: FloatArray) -> Mesh:
        """Return the mesh with every vertex multiplied by the 3x3 `rotation`."""
        return Mesh(self.vertices @ np.asarray(rotation).T, self.faces, self.uv)

    def scaled(self, factors: Sequence[float]) -> Mesh:
        """Return the mesh scaled along x, y, z (positive factors)."""
        return Mesh(self.vertices * np.asarray(factors, dtype=float), self.faces, self.uv)


def join(meshes: Sequence[Mesh]) -> Mesh:
    """Return one mesh that holds all of `meshes`, without texture coordinates."""
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=True)]
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    return Mesh(vertices, np.concatenate(faces).astype(np.int32))


def rotation(axis: str, angle_rad: float) -> FloatArray:
    """Return the 3x3 rotation by `angle_rad` about the axis "x", "y" or "z"."""
    c, s = np.cos(angle_rad), np.sin(angle_rad)
    if axis == "x":
        return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    if axis == "y":
        return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])


@lru_cache(maxsize=512)
def _grid_faces(rows: int, columns: int, wrap: bool) -> IntArray:
    """Return the triangles of a rows x columns grid of vertices, row-major."""
    row, column = np.mgrid[0 : rows - 1, 0 : columns if wrap else columns - 1]
    after = (column + 1) % columns
    a, b = row * columns + column, row * columns + after
    c, d = a + columns, b + columns
    faces = np.stack([np.stack([a, b, d], -1), np.stack([a, d, c], -1)], axis=2)
    return faces.reshape(-1, 3).astype(np.int32)


def grid(points: FloatArray, wrap: bool = True) -> Mesh:
    """Return the smooth surface through `points` (rows, columns, 3); columns close if `wrap`."""
    rows, columns = points.shape[:2]
    return Mesh(points.reshape(-1, 3), _grid_faces(rows, columns, wrap))


def _smooth_runs(profile: FloatArray) -> list[tuple[int, int]]:
    """Split a profile (M, 2) at its sharp corners; returns [start, stop) index ranges."""
    steps = np.diff(profile, axis=0)
    steps = steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-12)
    corners = np.flatnonzero((steps[:-1] * steps[1:]).sum(axis=1) < CREASE_COS) + 1
    edges = [0, *corners.tolist(), len(profile) - 1]
    return [(a, b + 1) for a, b in itertools.pairwise(edges)]


@lru_cache(maxsize=64)
def _circle(segments: int) -> FloatArray:
    angle = np.arange(segments) * (2 * np.pi / segments)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def lathe(profile: Sequence[tuple[float, float]] | FloatArray, segments: int = 20) -> Mesh:
    """Return the surface of revolution about z of `profile`, (radius, z) pairs from below up.

    A profile that starts and ends at radius 0 is closed; going up outside and down inside
    makes a vessel with thickness.
    """
    points = np.asarray(profile, dtype=float)
    circle = _circle(segments)
    parts = []
    for start, stop in _smooth_runs(points):
        run = points[start:stop]
        rings = np.empty((len(run), segments, 3))
        rings[..., :2] = run[:, None, :1] * circle
        rings[..., 2] = run[:, 1:2]
        parts.append(grid(rings))
    return join(parts)


def loft(outline: FloatArray, profile: Sequence[tuple[float, float]]) -> Mesh:
    """Return a stack of copies of `outline` (N, 2), each inset and raised as `profile` says.

    Args:
        outline: counter-clockwise, convex, around the origin.
        profile: (inset, z) pairs in metres from below up; a large inset closes the end.
    """
    radius = np.linalg.norm(outline, axis=1, keepdims=True)
    parts = []
    points = np.asarray(profile, dtype=float)
    for start, stop in _smooth_runs(points):
        run = points[start:stop]
        rings = np.empty((len(run), len(outline), 3))
        shrink = np.maximum(1 - run[:, 0, None, None] / radius[None], 0.0)
        rings[..., :2] = outline[None] * shrink
        rings[..., 2] = run[:, 1:2]
        parts.append(grid(rings))
    return join(parts)


def rounded_rectangle(width: float, depth: float, corner: float, steps: int = 3) -> FloatArray:
    """Return the outline (4 * steps, 2) of a rectangle with round corners, counter-clockwise."""
    corner = min(corner, 0.499 * min(width, depth))
    angle = np.linspace(0, np.pi / 2, steps)
    arc = corner * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    x, y = width / 2 - corner, depth / 2 - corner
    quarters = []
    for turn, centre in enumerate(((x, y), (-x, y), (-x, -y), (x, -y))):
        c, s = (1, 0, -1, 0)[turn], (0, 1, 0, -1)[turn]
        quarters.append(arc @ np.array([[c, s], [-s, c]]) + centre)
    return np.concatenate(quarters)


def extrude(outline: FloatArray, height: float, bevel: float = 0.0) -> Mesh:
    """Return the prism over a convex `outline` (N, 2) from z = 0 to `height`, edges bevelled."""
    far = 10.0 * float(np.abs(outline).max())
    bevel = min(bevel, 0.45 * height)
    if bevel <= 0:
        return loft(outline, [(far, 0), (0, 0), (0, height), (far, height)])
    half = 0.3 * bevel
    lower = [(far, 0), (bevel, 0), (half, half), (0, bevel)]
    upper = [(0, height - bevel), (half, height - half), (bevel, height), (far, height)]
    return loft(outline, lower + upper)


def rounded_box(size: Sequence[float], corner: float, bevel: float = 0.0) -> Mesh:
    """Return a box of `size` (3,) standing on z = 0 with round vertical edges."""
    outline = rounded_rectangle(size[0], size[1], corner)
    return extrude(outline, size[2], bevel)


_BOX_CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (0, 1)])
_BOX_SIDES = np.array(
    [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
)
_BOX_FACES = np.array(
    [
        [4 * side + i, 4 * side + j, 4 * side + k]
        for side in range(6)
        for i, j, k in ((0, 1, 2), (0, 2, 3))
    ],
    dtype=np.int32,
)


def box(size: Sequence[float], centre: Sequence[float] = (0.0, 0.0, 0.0)) -> Mesh:
    """Return a sharp box of `size` (3,) whose bottom centre lies at `centre`."""
    corners = _BOX_CORNERS * np.asarray(size, dtype=float) + np.asarray(centre, dtype=float)
    return Mesh(corners[_BOX_SIDES.ravel()], _BOX_FACES)


def ellipsoid(radii: Sequence[float], segments: int = 16, rings: int = 9) -> Mesh:
    """Return an ellipsoid around the origin."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, rings)
    profile = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    profile[[0, -1], 0] = 0.0
    circle = _circle(segments)
    points = np.empty((rings, segments, 3))
    points[..., :2] = profile[:, None, :1] * circle
    points[..., 2] = profile[:, 1:2]
    return grid(points * np.asarray(radii, dtype=float))


def sweep(
    path: FloatArray,
    radius: float | Sequence[float] | FloatArray,
    sides: int = 8,
    closed: bool = False,
    flatten: float = 1.0,
) -> Mesh:
    """Return a tube along `path` (K, 3) with a radius per point.

    Args:
        path: planar paths give the cleanest tubes.
        radius: one for all points, or one for each, metres.
        sides: corners of the cross-section.
        closed: whether the last point joins the first (a torus); else the ends are capped.
        flatten: radius out of the path's plane over the radius within it.
    """
    path = np.ascontiguousarray(path, dtype=np.float64)
    radii = np.empty(len(path))
    radii[:] = radius
    points = _tube(path, radii, _circle(sides), closed, flatten)
    if closed:
        return grid(points)
    return Mesh(points.reshape(-1, 3), _capped_faces(len(path), sides))


@njit(cache=True)
def _unit(x: float, y: float, z: float) -> tuple[float, float, float]:
    length = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    return x / length, y / length, z / length


@njit(cache=True)
def _headings(path: FloatArray, closed: bool) -> tuple[FloatArray, int]:
    """Return unit vectors (K, 3) along a path, and the axis that it follows least."""
    count = path.shape[0]
    along = np.empty((count, 3))
    spans = np.zeros(3)
    for i in range(count):
        if closed:
            a, b = (i - 1) % count, (i + 1) % count
        else:
            a, b = max(i - 1, 0), min(i + 1, count - 1)
        along[i, 0], along[i, 1], along[i, 2] = _unit(
            path[b, 0] - path[a, 0], path[b, 1] - path[a, 1], path[b, 2] - path[a, 2]
        )
        for k in range(3):
            spans[k] = max(spans[k], abs(along[i, k]))
    axis = 0
    for k in range(1, 3):
        if spans[k] < spans[axis]:
            axis = k
    return along, axis


@njit(cache=True)
def _tube(
    path: FloatArray, radii: FloatArray, circle: FloatArray, closed: bool, flatten: float
) -> FloatArray:
    """Return rings of points around a path: (K + 1, sides, 3) closed, else (K + 4, sides, 3).

    Open tubes start and end with a collapsed ring (the cap's middle) and a repeated one, which
    makes a crease. Written out in scalars because array expressions take long to compile.
    """
    count, sides = path.shape[0], circle.shape[0]
    along, axis = _headings(path, closed)
    gx = 1.0 if axis == 0 else 0.0
    gy = 1.0 if axis == 1 else 0.0
    gz = 1.0 if axis == 2 else 0.0
    rings = count + 1 if closed else count + 4
    points = np.empty((rings, sides, 3))
    for ring in range(rings):
        i = ring % count if closed else min(max(ring - 2, 0), count - 1)
        radius = radii[i]
        if not closed and (ring == 0 or ring == rings - 1):
            radius = 0.0
        x, y, z = along[i, 0], along[i, 1], along[i, 2]
        ax, ay, az = _unit(y * gz - z * gy, z * gx - x * gz, x * gy - y * gx)
        bx, by, bz = y * az - z * ay, z * ax - x * az, x * ay - y * ax
        for k in range(sides):
            p, q = radius * flatten * circle[k, 0], radius * circle[k, 1]
            points[ring, k, 0] = path[i, 0] + p * ax + q * bx
            points[ring, k, 1] = path[i, 1] + p * ay + q * by
            points[ring, k, 2] = path[i, 2] + p * az + q * bz
    return points


@lru_cache(maxsize=256)
def _capped_faces(rows: int, sides: int) -> IntArray:
    """Return the triangles of an open `_tube`: cap, body, cap, joined nowhere."""
    cap, body = _grid_faces(2, sides, True), _grid_faces(rows, sides, True)
    return np.concatenate([cap, body + 2 * sides, cap + (rows + 2) * sides])


def torus(radius: float, tube: float, segments: int = 20, sides: int = 10) -> Mesh:
    """Return a ring around z, centred on the origin."""
    circle = _circle(segments)
    path = np.concatenate([radius * circle, np.zeros((segments, 1))], axis=1)
    return sweep(path, tube, sides, closed=True)


def rod(start: Vector, end: Vector, radius: float, sides: int = 10) -> Mesh:
    """Return a capped cylinder from `start` to `end`."""
    return sweep(np.array([start, end], dtype=float), radius, sides)
