"""From 3D points to pixels and back, through the lens models of ROS `sensor_msgs/CameraInfo`.

Pixels are (u, v), u right, v down, pixel centres at integers; points are in the camera's optical
frame (REP-103: x right, y down, z forward), metres.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import CameraModel

Array = NDArray[np.float64]

_COEFFICIENTS = {
    "none": (0,),
    "plumb_bob": (0, 4, 5),
    "rational_polynomial": (0, 8, 12, 14),
    "equidistant": (0, 4),
}
_NEWTON_STEPS = 20
_CONVERGED_PX = 1e-7
_INVERTIBLE_PX = 1e-2
_STEP = 1e-6


def norm_to_px(uv_norm: ArrayLike, width: int, height: int) -> Array:
    """Return pixels of normalised coordinates (..., 2): 0 is the outer edge of the first pixel."""
    return np.asarray(uv_norm, dtype=np.float64) * (width, height) - 0.5


def px_to_norm(uv_px: ArrayLike, width: int, height: int) -> Array:
    """Return normalised coordinates of pixels (..., 2)."""
    return (np.asarray(uv_px, dtype=np.float64) + 0.5) / (width, height)


def project(points: ArrayLike, camera: CameraModel) -> Array:
    """Project points (N, 3) in the optical frame to pixels (N, 2).

    Points behind the camera (z <= 0) give NaN; points beside the image give pixels beside it.

    Raises:
        RoboReferError: BAD_CAMERA when the number of distortion coefficients does not fit.
    """
    xyz = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    front = xyz[:, 2] > 0
    uv = np.full((len(xyz), 2), np.nan)
    uv[front] = _distort(xyz[front, :2] / xyz[front, 2:], camera)
    return uv


def rays(uv_px: ArrayLike, camera: CameraModel) -> Array:
    """Return the points (N, 3) at z = 1 m seen at pixels (N, 2).

    Pixels where the lens model cannot be inverted (far outside of what was calibrated) give NaN.

    Raises:
        RoboReferError: BAD_CAMERA when the number of distortion coefficients does not fit.
    """
    uv = np.asarray(uv_px, dtype=np.float64).reshape(-1, 2)
    xy = (uv - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    if _has_distortion(camera) and len(uv):
        xy = _undistort(uv, camera)
    return np.column_stack([xy, np.ones(len(uv))])


def ray_slopes(rays_m: Array, camera: CameraModel) -> Array:
    """Return how the rays (N, 3) at z = 1 m turn with their pixels, as (N, 2, 2): d(x, y)/d(u, v).

    Raises:
        RoboReferError: BAD_CAMERA when the number of distortion coefficients does not fit.
    """
    if not _has_distortion(camera):
        slopes = np.diag([1 / camera.fx, 1 / camera.fy])
        return np.broadcast_to(slopes, (len(rays_m), 2, 2))
    (a, b), (c, d) = np.moveaxis(_jacobian(rays_m[:, :2], camera), 0, -1)
    with np.errstate(all="ignore"):  # where the lens folds, there is no slope
        return np.moveaxis(np.array([[d, -b], [-c, a]]) / (a * d - b * c), -1, 0)


def unproject(uv_px: ArrayLike, depth_m: ArrayLike, camera: CameraModel) -> Array:
    """Return the points (N, 3) at pixels (N, 2) with depths z (N,) in metres."""
    return rays(uv_px, camera) * np.asarray(depth_m, dtype=np.float64).reshape(-1, 1)


def scale_camera(camera: CameraModel, width: int, height: int) -> CameraModel:
    """Return the camera of the same image resized to width x height pixels.

    Pixel centres are at integers, so the image's corner (-0.5, -0.5) stays where it is.
    """
    x, y = width / camera.width, height / camera.height
    return replace(
        camera,
        width=width,
        height=height,
        fx=camera.fx * x,
        fy=camera.fy * y,
        cx=(camera.cx + 0.5) * x - 0.5,
        cy=(camera.cy + 0.5) * y - 0.5,
    )


def _has_distortion(camera: CameraModel) -> bool:
    count = len(camera.distortion)
    if count not in _COEFFICIENTS[camera.distortion_model]:
        raise RoboReferError(
            ErrorCode.BAD_CAMERA,
            f"Distortion '{camera.distortion_model}' with {count} coefficients is not known.",
            "Give plumb_bob 5, rational_polynomial 8 or equidistant 4 coefficients, or none.",
        )
    # A fisheye lens bends rays even where all its coefficients are zero.
    return count > 0 and (camera.distortion_model == "equidistant" or any(camera.distortion))


def _distort(xy: Array, camera: CameraModel) -> Array:
    """Return pixels (N, 2) of ideal image-plane coordinates (N, 2)."""
    if not _has_distortion(camera) or not len(xy):
        return np.asarray(xy * (camera.fx, camera.fy) + (camera.cx, camera.cy))
    points = np.column_stack([xy, np.ones(len(xy))])[:, None]
    zero = np.zeros(3)
    lens = np.array(camera.distortion, dtype=np.float64)
    module = cv2.fisheye if camera.distortion_model == "equidistant" else cv2
    pixels, _ = module.projectPoints(points, zero, zero, camera.K, lens)
    return np.asarray(pixels, dtype=np.float64).reshape(-1, 2)


def _undistort(uv: Array, camera: CameraModel) -> Array:
    """Invert `_distort` by OpenCV's fixed-point iteration, finished by Newton's method.

    The number and quality of OpenCV's own iterations differ from version to version.
    """
    lens = np.array(camera.distortion, dtype=np.float64)
    module = cv2.fisheye if camera.distortion_model == "equidistant" else cv2
    start = module.undistortPoints(uv[:, None], camera.K, lens)
    xy = np.asarray(start, dtype=np.float64).reshape(-1, 2)
    with np.errstate(all="ignore"):  # rows that diverge become NaN below
        for _ in range(_NEWTON_STEPS):
            error = _distort(xy, camera) - uv
            if np.nanmax(np.abs(error), initial=0.0) < _CONVERGED_PX:
                break
            xy = xy - _solve(_jacobian(xy, camera), error)
        found = np.abs(_distort(xy, camera) - uv).max(axis=1) < _INVERTIBLE_PX
        found &= ~_folded(xy, uv, camera)
    xy[~found] = np.nan
    return xy


def _folded(xy: Array, uv: Array, camera: CameraModel) -> NDArray[np.bool_]:
    """Tell which solutions (N, 2) lie where the lens polynomial has turned back on itself.

    There a second ray meets the same pixel, one that no real lens would send to it: the image
    runs backwards along the radius (negative determinant) or through the centre.
    """
    seen = (uv - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
    off_centre = (seen**2).sum(axis=1) > 1e-4
    through_centre = (seen * xy).sum(axis=1) <= 0
    backwards = ~(np.linalg.det(_jacobian(xy, camera)) > 0)
    return np.asarray(backwards | (off_centre & through_centre))


def _jacobian(xy: Array, camera: CameraModel) -> Array:
    """Return d(pixel)/d(image plane) as (N, 2, 2), by central differences."""
    columns = []
    for axis in range(2):
        step = np.zeros(2)
        step[axis] = _STEP
        columns.append((_distort(xy + step, camera) - _distort(xy - step, camera)) / (2 * _STEP))
    return np.stack(columns, axis=-1)


def _solve(matrix: Array, right: Array) -> Array:
    """Solve (N, 2, 2) systems for (N, 2); singular ones give infinities, not exceptions."""
    a, b, c, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1]
    x, y = right[:, 0], right[:, 1]
    return np.stack([d * x - b * y, a * y - c * x], axis=-1) / (a * d - b * c)[:, None]
