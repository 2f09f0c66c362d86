"""`LiftPoints`: pixels of the newest capture to 3D points, without any model."""

from __future__ import annotations

import array
import math
from concurrent.futures import Future

import numpy as np
from robo_refer_msgs.srv import LiftPoints

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import lift_pixels, transform_points
from robo_refer_ros.asking import Asker
from robo_refer_ros.messages import rotated_covariance, seconds


def lift(
    request: LiftPoints.Request, response: LiftPoints.Response, asker: Asker
) -> LiftPoints.Response:
    """Fill in the response to a request.

    Raises:
        RoboReferError: BAD_REQUEST for pixels that do not come in pairs, and for more of them than
            the image has; what the camera lacks; BAD_DEPTH where depth and camera differ in size;
            TF_ERROR.
    """
    if len(request.uv_px) % 2 or not all(map(math.isfinite, request.uv_px)):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"uv_px has {len(request.uv_px)} numbers, or some are not finite.",
            "Give u and v of every pixel.",
        )
    settings = asker.settings
    max_age_s = seconds(request.max_image_age) or settings.image.max_age_s
    capture = asker.stream.wait_fresh(max_age_s, Future())
    depth_m, camera = capture.depth_m(), capture.camera(settings)
    assert depth_m is not None  # wait_fresh has seen to it
    if depth_m.shape != (camera.height, camera.width):  # the pixels would be others
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"Depth has shape {depth_m.shape} but the camera is {camera.height}x{camera.width} "
            "(rows x columns).",
            "Register depth to colour first (for example with depth_image_proc).",
        )
    count = len(request.uv_px) // 2
    if count > depth_m.size:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{count} pixels are asked for, but the image has {depth_m.size}.",
            "Ask for each pixel once.",
        )
    frame, T_target_cam = asker.transform(capture, camera.frame, request.target_frame)
    lifted = lift_pixels(depth_m, camera, request.uv_px, settings.lift_options())
    covariances = rotated_covariance(lifted.cov_cam_m2, T_target_cam)
    unknown = np.isnan(covariances).any(axis=(1, 2))
    covariances[unknown] = 0.0
    covariances[unknown, 0, 0] = -1.0
    response.header.frame_id = frame
    response.header.stamp = capture.image.header.stamp
    response.points_m = _array("d", transform_points(T_target_cam, lifted.p_cam_m))
    response.covariances_m2 = _array("d", covariances)
    response.depth_status = _array("B", lifted.status)
    response.depth_m = _array("f", lifted.depth_m)
    response.depth_support = _array("f", lifted.support)
    return response


def _array(kind: str, values: np.ndarray) -> array.array:
    """Return numbers as a message holds them."""
    return array.array(kind, np.ascontiguousarray(values, dtype=kind).tobytes())
