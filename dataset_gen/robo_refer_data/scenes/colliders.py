"""What objects collide with: boxes, convex hulls, and for vessels a floor with a ring of walls.

A collider is coarser than what is drawn: each connected piece of a mesh becomes its box, if it is
one, or its convex hull (of at most 112 of its points, at most a millimetre inside of it), and many
small pieces become one hull. Models that others made become one hull.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer_data.assets import Asset
from robo_refer_data.assets.mesh import Mesh, join

MAX_PIECES = 10  # a keyboard is no longer a hundred keys
MIN_PIECE_M = 0.006
FLAT_M = 0.0005  # thinner hulls are thickened: a physics engine wants a volume
WALL_M = 0.005
SECTORS = 12


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in the frame of its object: `centre` and `half` extents (3,), metres."""

    centre: FloatArray
    half: FloatArray


@dataclass(frozen=True)
class Hull:
    """The convex hull of `points` (N, 3) in the frame of its object, metres."""

    points: FloatArray


Collider = Box | Hull


def asset_colliders(asset: Asset) -> list[Collider]:
    """Return the colliders of an asset of scale 1, in its own frame."""
    whole = join([part.mesh for part in asset.parts])
    if asset.shape.origin is not None:
        return [_solid(whole.vertices)]
    pieces = _pieces(whole)
    if asset.shape.cavity is not None:
        vessel = max(pieces, key=lambda points: float(np.ptp(points, axis=0).prod()))
        others = [piece for piece in pieces if piece is not vessel and not _spans(piece, asset)]
        return [*_vessel(asset, vessel), *map(_solid, others[:MAX_PIECES])]
    if len(pieces) > MAX_PIECES:
        return [_solid(whole.vertices)]
    return [_solid(points) for points in pieces]


def mesh_colliders(mesh: Mesh) -> list[Collider]:
    """Return the colliders of a mesh that nothing moves: one for each of its pieces."""
    return [_solid(points) for points in _pieces(mesh)]


def _pieces(mesh: Mesh) -> list[FloatArray]:
    """Return the points (N, 3) of every connected piece that is not tiny."""
    points, place = np.unique(np.round(mesh.vertices, 6), axis=0, return_inverse=True)
    owner = _connected(place.ravel()[mesh.faces].astype(np.int64), len(points))
    pieces = [points[owner == root] for root in np.unique(owner)]
    large = [piece for piece in pieces if np.ptp(piece, axis=0).max() >= MIN_PIECE_M]
    return large or [points]


@njit(cache=True)
def _connected(faces: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return for every vertex (count,) the least vertex that faces connect it to."""
    parent = np.arange(count)
    for f in range(faces.shape[0]):
        for k in range(1, 3):
            a, b = faces[f, 0], faces[f, k]
            while parent[a] != a:
                a = parent[a]
            while parent[b] != b:
                b = parent[b]
            if a < b:
                parent[b] = a
            else:
                parent[a] = b
    for i in range(count):
        root = i
        while parent[root] != root:
            root = parent[root]
        parent[i] = root
    return parent


def _spans(points: FloatArray, asset: Asset) -> bool:
    """Return whether a piece reaches across a vessel's axis: a lining, a ring, a hoop handle.

    Its hull would close the vessel.
    """
    x, y = -asset.centre_m[:2]
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    return bool(low[0] <= x <= high[0] and low[1] <= y <= high[1])


def _solid(points: FloatArray) -> Collider:
    """Return the box of points that are its corners, else their hull."""
    low, high = points.min(axis=0), points.max(axis=0)
    at_corner = (np.abs(points - low) < 1e-6) | (np.abs(points - high) < 1e-6)
    if at_corner.all():
        return Box((low + high) / 2, np.maximum((high - low) / 2, FLAT_M))
    chosen = np.unique(np.argmax(points @ _DIRECTIONS.T, axis=0))
    outer = points[chosen]
    _, sizes, axes = np.linalg.svd(outer - outer.mean(axis=0), full_matrices=False)
    if sizes[2] < FLAT_M * np.sqrt(len(outer)):
        outer = np.concatenate([outer + FLAT_M * axes[2], outer - FLAT_M * axes[2]])
    return Hull(outer)


def _vessel(asset: Asset, vessel: FloatArray) -> list[Collider]:
    """Return the floor and the walls of something open upwards."""
    cavity = asset.shape.cavity
    assert cavity is not None
    axis = np.array([-asset.centre_m[0], -asset.centre_m[1], -asset.size_m[2] / 2])
    points = vessel - axis  # the builder's frame: z = 0 at its lowest point, around its axis
    extent = np.abs(points[:, :2]).max(axis=0)
    near = np.abs(points[:, 2] - cavity.floor_m) < 0.003
    base = np.abs(points[near, :2]).max(axis=0) if near.any() else extent
    rim = min(cavity.rim_m, float(points[:, 2].max()))
    levels = (0.0, cavity.floor_m, rim)
    if asset.spec.round:
        outlines = [_ring(float(radius)) for radius in (extent.max(), base.max())]
    else:
        outlines = [_corners(*radii) for radii in (extent, base)]
    outer, inner_low = outlines
    inner_high = outer * (1 - WALL_M / np.abs(outer).max())
    inner_low = np.where(np.abs(inner_low) < np.abs(inner_high), inner_low, inner_high)
    foot = np.concatenate([_raised(inner_low, z) for z in (levels[0], max(levels[1], 0.002))])
    walls: list[Collider] = [Hull(foot + axis)]
    for k in range(len(outer)):
        side = [k, (k + 1) % len(outer)]
        wedge = [_raised(inner_low[side], levels[0]), _raised(inner_low[side], levels[1]),
                 _raised(inner_high[side], levels[2]), _raised(outer[side], levels[2]),
                 _raised(0.5 * (outer + inner_low)[side] + 0.002, levels[0])]  # fmt: skip
        walls.append(Hull(np.concatenate(wedge) + axis))
    return walls


def _raised(outline: FloatArray, z: float) -> FloatArray:
    """Return points (N, 3) above an outline (N, 2)."""
    return np.concatenate([outline, np.full((len(outline), 1), z)], axis=1)


def _ring(radius: float) -> FloatArray:
    angle = np.arange(SECTORS) * (2 * np.pi / SECTORS)
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _corners(half_x: float, half_y: float) -> FloatArray:
    return np.array([[half_x, half_y], [-half_x, half_y], [-half_x, -half_y], [half_x, -half_y]])


def _directions(azimuths: int, elevations_deg: Sequence[float]) -> FloatArray:
    angle, height = np.meshgrid(
        np.arange(azimuths) * (2 * np.pi / azimuths), np.radians(elevations_deg)
    )
    directions = [np.cos(height) * np.cos(angle), np.cos(height) * np.sin(angle), np.sin(height)]
    return np.stack(directions, axis=-1).reshape(-1, 3)


# Nearly vertical ones find the whole rim of a flat foot, so that what stands does not rock.
_DIRECTIONS = _directions(16, (-89, -60, -30, 0, 30, 60, 89))
