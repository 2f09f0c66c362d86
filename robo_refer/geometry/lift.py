"""From referred pixels to 3D points in the camera's frame and the world, with its covariance."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robo_refer.geometry.camera import Array, norm_to_px, px_to_norm, ray_slopes, rays
from robo_refer.geometry.depth_window import (
    DEPTH_STATUSES,
    DepthMeasurements,
    LiftOptions,
    measure_depths,
)
from robo_refer.geometry.transforms import transform_points
from robo_refer.types import CameraModel, FloatArray, Frame, ReferredPoint

__all__ = [
    "WORLD_FRAME",
    "LiftOptions",
    "LiftedPixels",
    "lift_pixel",
    "lift_pixels",
    "lift_point",
    "nearest_pixel",
    "point_covariances",
]

WORLD_FRAME = "world"
"""Name of the frame that `CameraModel.T_world_cam` leads to."""


def lift_point(
    frame: Frame,
    uv_norm: tuple[float, float],
    score: float | None = None,
    options: LiftOptions | None = None,
) -> ReferredPoint:
    """Lift one answered point (in [0, 1]) of a frame to 3D: `lift_pixel` of that frame.

    Without a depth image the point stays in 2D.
    """
    u, v = norm_to_px(uv_norm, frame.width, frame.height).tolist()
    uv_norm = (float(uv_norm[0]), float(uv_norm[1]))
    if frame.depth_m is None:
        return ReferredPoint(uv_px=(u, v), uv_norm=uv_norm, score=score)
    point = lift_pixel(frame.depth_m, frame.camera, (u, v), options)
    return replace(point, uv_norm=uv_norm, score=score)


def lift_pixel(
    depth_m: FloatArray,
    camera: CameraModel | None,
    uv_px: tuple[float, float],
    options: LiftOptions | None = None,
) -> ReferredPoint:
    """Lift one pixel of a (height, width) depth image in metres to 3D: `lift_pixels` of one.

    What cannot be known stays None: no depth (`depth_status` says why), no 3D point without a
    camera or where its lens model cannot be inverted, no point in the world without the camera's
    pose. There is never a point at (0, 0, 0).

    Raises:
        RoboReferError: BAD_CAMERA for unknown distortion, TF_ERROR for a pose that is not rigid.
    """
    height, width = depth_m.shape
    u, v = float(uv_px[0]), float(uv_px[1])
    x, y = px_to_norm((u, v), width, height).tolist()
    lifted = lift_pixels(depth_m, camera, [(u, v)], options)
    depth = float(lifted.depth_m[0])
    point = ReferredPoint(
        uv_px=(u, v),
        uv_norm=(x, y),
        depth_status=DEPTH_STATUSES[lifted.status[0]],
        depth_m=depth if np.isfinite(depth) else None,
        depth_support=float(lifted.support[0]),
    )
    p_cam = lifted.p_cam_m[0]
    if camera is None or not np.isfinite(p_cam).all():
        return point
    rows = tuple(_triple(row) for row in lifted.cov_cam_m2[0])
    point = replace(point, p_cam_m=_triple(p_cam), cov_cam_m2=rows)
    if camera.T_world_cam is None:
        return point
    p_world = transform_points(camera.T_world_cam, p_cam)
    return replace(point, frame=WORLD_FRAME, p_frame_m=_triple(p_world))


@dataclass(frozen=True)
class LiftedPixels:
    """N pixels lifted to 3D.

    Attributes:
        status: (N,) how each depth was obtained, as places in `DEPTH_STATUSES`.
        depth_m: (N,) z in the camera frame, metres; NaN where there is none.
        support: (N,) share of valid depth pixels in the window, 0..1.
        p_cam_m: (N, 3) points in the camera's optical frame, metres; NaN where there is none.
        cov_cam_m2: (N, 3, 3) their covariances, square metres; NaN where there is no point.
    """

    status: NDArray[np.uint8]
    depth_m: Array
    support: Array
    p_cam_m: Array
    cov_cam_m2: Array


def lift_pixels(
    depth_m: FloatArray,
    camera: CameraModel | None,
    uv_px: ArrayLike,
    options: LiftOptions | None = None,
) -> LiftedPixels:
    """Lift pixels (N, 2) of a (height, width) depth image in metres to the camera's 3D frame.

    Pixels beside the image are lifted to nothing ("none"). Without a camera there are no points.

    Raises:
        RoboReferError: BAD_CAMERA for unknown distortion.
    """
    options = options or LiftOptions()
    height, width = depth_m.shape
    uv = np.asarray(uv_px, dtype=np.float64).reshape(-1, 2)
    in_image = np.flatnonzero(((uv >= -0.5) & (uv <= (width - 0.5, height - 0.5))).all(axis=1))
    pixels = np.minimum((uv[in_image] + 0.5).astype(np.intp), (width - 1, height - 1))
    measured = DepthMeasurements.of_nothing(len(uv))
    measured.put(in_image, measure_depths(depth_m, pixels, options))
    points, covariances = np.full((len(uv), 3), np.nan), np.full((len(uv), 3, 3), np.nan)
    deep = np.flatnonzero(np.isfinite(measured.depth_m))
    if camera is not None and len(deep):
        depth, sigma = measured.depth_m[deep], measured.sigma_m[deep]
        seen = rays(uv[deep], camera)
        points[deep] = seen * depth[:, None]
        covariances[deep] = point_covariances(camera, seen, depth, sigma, options.pixel_sigma_px)
        unknown = ~(np.isfinite(points).all(axis=1) & np.isfinite(covariances).all(axis=(1, 2)))
        points[unknown], covariances[unknown] = np.nan, np.nan
    return LiftedPixels(measured.status, measured.depth_m, measured.support, points, covariances)


def nearest_pixel(u: float, v: float, width: int, height: int) -> tuple[int, int] | None:
    """Return the pixel that contains (u, v), or None beside the image.

    The right and lower edges of the image (1.0 in normalised coordinates) belong to its last
    pixels.
    """
    if not (-0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5):
        return None
    return min(int(u + 0.5), width - 1), min(int(v + 0.5), height - 1)


def point_covariances(
    camera: CameraModel, rays_m: Array, depth_m: Array, sigma_depth_m: Array, sigma_px: float
) -> Array:
    """Return the covariances (N, 3, 3) of points on rays, camera frame, square metres.

    First order: depth moves a point along its ray, the pixel moves it across.

    Args:
        camera: intrinsics.
        rays_m: (N, 3) what the pixels see at z = 1 m, from `rays`.
        depth_m, sigma_depth_m: (N,) depth and its standard deviation, metres.
        sigma_px: standard deviation of the pixels themselves.
    """
    jacobian = np.zeros((len(rays_m), 3, 3))
    jacobian[:, :, 0] = rays_m
    jacobian[:, :2, 1:] = ray_slopes(rays_m, camera) * depth_m[:, None, None]
    variances = np.full((len(rays_m), 1, 3), sigma_px**2)
    variances[:, 0, 0] = sigma_depth_m**2
    return np.asarray((jacobian * variances) @ jacobian.transpose(0, 2, 1))


def _triple(values: Array) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
