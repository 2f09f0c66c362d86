"""The plane that things stand on, found in depth by RANSAC (Fischler and Bolles, 1981)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.geometry.depth_window import depth_noise_m
from robo_refer.types import CameraModel, FloatArray

MIN_TOLERANCE_M = 0.01
MIN_SHARE = 0.15  # of the measured pixels: less is no support worth the name
ALONG_GRAVITY_DEG = 12.0
_TRIES = 400
_POINTS = 4000  # looked at per try; the plane is then fitted to all of them
_CAMERA_UP = np.array([0.0, -1.0, 0.0])


@dataclass(frozen=True)
class Plane:
    """A plane in the camera frame: points p with normal . p = offset_m.

    Attributes:
        normal: (3,) unit vector to the side of the camera: up, if the plane is level.
        offset_m: metres; negative, the camera is above the plane.
        share: of the measured pixels that lie on it.
    """

    normal: FloatArray
    offset_m: float
    share: float

    def height_m(self, points_cam: FloatArray) -> FloatArray:
        """Return how far points (..., 3) in the camera frame lie above it, metres."""
        height: FloatArray = points_cam @ self.normal - self.offset_m
        return height


def tolerance_m(z_m: FloatArray) -> FloatArray:
    """Return how far from its plane a point at depth z may be measured, metres."""
    noise = np.asarray(depth_noise_m(z_m))
    return np.maximum(MIN_TOLERANCE_M, 3 * noise)


def points_of(depth_m: FloatArray, camera: CameraModel) -> FloatArray:
    """Return (height, width, 3) points in the camera frame, metres; zeros where not measured."""
    height, width = depth_m.shape
    x = (np.arange(width) - camera.cx) / camera.fx
    y = (np.arange(height) - camera.cy) / camera.fy
    points = np.empty((height, width, 3), np.float32)
    points[..., 0], points[..., 1], points[..., 2] = x * depth_m, y[:, None] * depth_m, depth_m
    return points


def find_support(
    points_cam: FloatArray, rng: np.random.Generator, up_cam: FloatArray | None, max_tilt_deg: float
) -> Plane | None:
    """Return the largest plane that can be a support, None where there is none.

    Args:
        points_cam: (n, 3) measured points in the camera frame, metres.
        rng: draws the tries.
        up_cam: unit vector against gravity in the camera frame, None where it is not known.
        max_tilt_deg: without gravity: how far the camera may look down, 0 straight ahead, 90
            straight down. A wall faced squarely looks like a table seen from above: what cannot
            be told apart must be excluded.
    """
    if len(points_cam) < _POINTS // 10:
        return None
    up, tilt = (_CAMERA_UP, max_tilt_deg) if up_cam is None else (up_cam, ALONG_GRAVITY_DEG)
    some = points_cam[rng.choice(len(points_cam), min(_POINTS, len(points_cam)), replace=False)]
    some = some.astype(float)
    near = tolerance_m(some[:, 2])
    best, most = None, 0
    for _ in range(_TRIES):
        plane = _through(some[rng.choice(len(some), 3, replace=False)])
        if plane is None or plane[:3] @ up < np.cos(np.radians(tilt)):
            continue
        count = int((np.abs(some @ plane[:3] - plane[3]) <= near).sum())
        if count > most:
            best, most = plane, count
    if best is None:
        return None
    for _ in range(3):
        members = some[np.abs(some @ best[:3] - best[3]) <= near]
        best = _fitted(members)
    share = float((np.abs(some @ best[:3] - best[3]) <= near).mean())
    fits = share >= MIN_SHARE and best[:3] @ up >= np.cos(np.radians(tilt))
    return Plane(best[:3], float(best[3]), share) if fits else None


def _through(three: FloatArray) -> FloatArray | None:
    """Return (normal, offset) of the plane through three points, None if they lie on a line."""
    normal = np.cross(three[1] - three[0], three[2] - three[0])
    length = float(np.linalg.norm(normal))
    return None if length < 1e-6 else _facing(normal / length, three[0])


def _fitted(points: FloatArray) -> FloatArray:
    """Return (normal, offset) of the plane with the least squared distances to points."""
    middle = points.mean(axis=0)
    *_, axes = np.linalg.svd(points - middle, full_matrices=False)
    return _facing(axes[2], middle)


def _facing(normal: FloatArray, point: FloatArray) -> FloatArray:
    """Return (normal, offset) with the normal on the camera's side."""
    offset = float(normal @ point)
    plane = np.array([*normal, offset])
    return -plane if offset > 0 else plane
