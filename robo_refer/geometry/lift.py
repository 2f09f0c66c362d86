"""From a referred pixel to a 3D point in the camera's frame and the world, with its covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robo_refer.geometry.camera import Array, norm_to_px, px_to_norm, rays, unproject
from robo_refer.geometry.depth_window import LiftOptions, measure_depth
from robo_refer.geometry.transforms import transform_points
from robo_refer.types import CameraModel, FloatArray, Frame, ReferredPoint

__all__ = [
    "WORLD_FRAME",
    "LiftOptions",
    "lift_pixel",
    "lift_point",
    "nearest_pixel",
    "point_covariance",
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
    """Lift one pixel of a (height, width) depth image in metres to 3D.

    What cannot be known stays None: no depth (`depth_status` says why), no 3D point without a
    camera or where its lens model cannot be inverted, no point in the world without the camera's
    pose. There is never a point at (0, 0, 0).

    Raises:
        RoboReferError: BAD_CAMERA for unknown distortion, TF_ERROR for a pose that is not rigid.
    """
    options = options or LiftOptions()
    height, width = depth_m.shape
    u, v = float(uv_px[0]), float(uv_px[1])
    x, y = px_to_norm((u, v), width, height).tolist()
    point = ReferredPoint(uv_px=(u, v), uv_norm=(x, y))
    pixel = nearest_pixel(u, v, width, height)
    if pixel is None:
        return point
    measured = measure_depth(depth_m, *pixel, options)
    point = replace(
        point,
        depth_status=measured.status,
        depth_m=measured.depth_m,
        depth_support=measured.support,
    )
    if camera is None or measured.depth_m is None or measured.sigma_m is None:
        return point
    p_cam = unproject([(u, v)], [measured.depth_m], camera)[0]
    covariance = point_covariance(
        camera, (u, v), measured.depth_m, measured.sigma_m, options.pixel_sigma_px
    )
    if not (np.isfinite(p_cam).all() and np.isfinite(covariance).all()):
        return point
    point = replace(
        point, p_cam_m=_triple(p_cam), cov_cam_m2=tuple(_triple(row) for row in covariance)
    )
    if camera.T_world_cam is None:
        return point
    p_world = transform_points(camera.T_world_cam, p_cam)
    return replace(point, frame=WORLD_FRAME, p_frame_m=_triple(p_world))


def nearest_pixel(u: float, v: float, width: int, height: int) -> tuple[int, int] | None:
    """Return the pixel that contains (u, v), or None beside the image.

    The right and lower edges of the image (1.0 in normalised coordinates) belong to its last
    pixels.
    """
    if not (-0.5 <= u <= width - 0.5 and -0.5 <= v <= height - 0.5):
        return None
    return min(int(u + 0.5), width - 1), min(int(v + 0.5), height - 1)


def point_covariance(
    camera: CameraModel,
    uv_px: tuple[float, float],
    depth_m: float,
    sigma_depth_m: float,
    sigma_px: float,
) -> Array:
    """Return the 3x3 covariance of the point at a pixel, camera frame, square metres.

    First order: depth moves the point along its ray, the pixel moves it across. NaN where the
    lens model cannot be inverted half a pixel further.
    """
    u, v = uv_px
    ray, left, right, up, down = rays(
        [(u, v), (u - 0.5, v), (u + 0.5, v), (u, v - 0.5), (u, v + 0.5)], camera
    )
    jacobian = np.column_stack([ray, (right - left) * depth_m, (down - up) * depth_m])
    variances = np.square([sigma_depth_m, sigma_px, sigma_px])
    return np.asarray((jacobian * variances) @ jacobian.T)


def _triple(values: Array) -> tuple[float, float, float]:
    x, y, z = values.tolist()
    return x, y, z
