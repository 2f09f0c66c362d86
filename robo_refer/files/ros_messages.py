"""Images and cameras of ROS messages as arrays; no ROS is needed to read them.

A message is whatever has the fields of `sensor_msgs`: one of rclpy, or one that `rosbags` has read.
Images are decoded with numpy alone: cv_bridge is built against one numpy and breaks with another.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.image_header import image_size
from robo_refer.types import MAX_IMAGE_PIXELS, CameraModel, DistortionModel

# encoding -> channels, and the order that makes them RGB.
_COLOUR: dict[str, tuple[int, tuple[int, int, int]]] = {
    "rgb8": (3, (0, 1, 2)),
    "bgr8": (3, (2, 1, 0)),
    "rgba8": (4, (0, 1, 2)),
    "bgra8": (4, (2, 1, 0)),
    "8UC3": (3, (2, 1, 0)),  # OpenCV's own order, as cv_bridge has it
    "8UC4": (4, (2, 1, 0)),
    "mono8": (1, (0, 0, 0)),
    "8UC1": (1, (0, 0, 0)),
}
# encoding -> type, and metres of one unit (REP-118).
_DEPTH: dict[str, tuple[str, float]] = {
    "16UC1": ("u2", 0.001),
    "mono16": ("u2", 0.001),
    "32FC1": ("f4", 1.0),
}
_DISTORTION: dict[str, DistortionModel] = {
    "": "none",
    "none": "none",
    "plumb_bob": "plumb_bob",
    "rational_polynomial": "rational_polynomial",
    "equidistant": "equidistant",
    "fisheye": "equidistant",
}


def rgb_of(message: Any) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB of an `Image` or `CompressedImage`.

    Raises:
        RoboReferError: BAD_IMAGE for an encoding that is no 8-bit colour, or data that does not
            fit its size.
    """
    if hasattr(message, "format"):  # a CompressedImage
        return _decompressed(message)
    if message.encoding not in _COLOUR:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The colour image has encoding '{message.encoding}'.",
            f"Publish one of {', '.join(_COLOUR)}; check which topic 'image' is remapped to.",
        )
    channels, order = _COLOUR[message.encoding]
    pixels = _pixels(message, "u1", channels, ErrorCode.BAD_IMAGE)
    if order == (0, 1, 2) and channels == 3:
        return np.ascontiguousarray(pixels)
    return np.ascontiguousarray(pixels[..., order])


def depth_of(message: Any) -> NDArray[np.float32]:
    """Return (height, width) depth of an `Image`, metres; 0, NaN, inf: not measured.

    The unit follows from the encoding and nothing else (REP-118): 16UC1 is millimetres, 32FC1 is
    metres.

    Raises:
        RoboReferError: BAD_DEPTH for another encoding, or data that does not fit its size.
    """
    encoding = message.format if hasattr(message, "format") else message.encoding
    if encoding not in _DEPTH:  # nor is depth of a `CompressedImage` read
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"The depth image has encoding '{encoding}'.",
            f"Publish one of {', '.join(_DEPTH)}; check which topic 'depth' is remapped to.",
        )
    kind, metres = _DEPTH[encoding]
    pixels = _pixels(message, kind, 1, ErrorCode.BAD_DEPTH)[..., 0]
    if metres == 1.0:
        return np.ascontiguousarray(pixels, dtype=np.float32)
    return np.asarray(pixels * np.float32(metres), dtype=np.float32)


def camera_of(message: Any, frame: str, *, image_frame: str, rectified: bool) -> CameraModel:
    """Return the camera of an image.

    Args:
        message: its calibration.
        frame: name of the optical frame; "" takes that of the image.
        image_frame: of the image's header.
        rectified: whether the image has been undistorted: then P counts, else K and D.

    Raises:
        RoboReferError: NO_CAMERA_INFO when K is all zeros (not calibrated); BAD_CAMERA for a lens
            model that is not known.
    """
    k, d = _matrix(message, "k"), _matrix(message, "d")
    if not any(k):
        raise RoboReferError(
            ErrorCode.NO_CAMERA_INFO,
            "The camera_info has a K of zeros: the camera is not calibrated.",
            "Calibrate it, or let the driver load its calibration.",
        )
    name = message.distortion_model
    coefficients = () if rectified else tuple(float(value) for value in d)
    if not any(coefficients) and name not in ("equidistant", "fisheye"):
        name, coefficients = "none", ()
    if rectified:
        name = "none"
    if name not in _DISTORTION:
        raise RoboReferError(
            ErrorCode.BAD_CAMERA,
            f"The camera_info has the lens model '{name}'.",
            f"Known are {', '.join(filter(None, _DISTORTION))}; or rectify the image.",
        )
    p = _matrix(message, "p")
    fx, fy, cx, cy = (p[0], p[5], p[2], p[6]) if rectified else (k[0], k[4], k[2], k[5])
    return CameraModel(
        width=message.width,
        height=message.height,
        fx=float(fx),
        fy=float(fy),
        cx=float(cx),
        cy=float(cy),
        distortion_model=_DISTORTION[name],
        distortion=coefficients,
        frame=frame or image_frame or message.header.frame_id,
    )


def _matrix(message: Any, name: str) -> Any:
    """Return one of a calibration's matrices, whose names ROS 1 writes in capitals."""
    return getattr(message, name if hasattr(message, name) else name.upper())


def _pixels(message: Any, kind: str, channels: int, code: ErrorCode) -> NDArray[Any]:
    """Return (height, width, channels): rows may be padded, and numbers of either byte order."""
    dtype = np.dtype(kind).newbyteorder(">" if message.is_bigendian else "<")
    row_bytes = message.width * channels * dtype.itemsize
    if not (message.width and message.height) or message.step < row_bytes:
        problem = f"rows of {message.step} bytes, too short for its width"
    elif len(message.data) < message.step * message.height:
        problem = f"{len(message.data)} bytes, fewer than {message.height} rows of {message.step}"
    else:
        rows = np.frombuffer(message.data, np.uint8, message.step * message.height)
        used = rows.reshape(message.height, message.step)[:, :row_bytes]
        return (
            np.ascontiguousarray(used).view(dtype).reshape(message.height, message.width, channels)
        )
    raise RoboReferError(
        code,
        f"The {message.width}x{message.height} {message.encoding} image has {problem}.",
        "Set step and data as sensor_msgs/Image says.",
    )


def _decompressed(message: Any) -> NDArray[np.uint8]:
    data = np.frombuffer(message.data, np.uint8)
    width, height = image_size(data.tobytes()) or (0, 0)
    # Checked before decoding: a header may promise more than there is memory.
    small = 0 < width * height <= MAX_IMAGE_PIXELS
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if small else None
    if picture is None:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The compressed image ({message.format}) cannot be decoded.",
            f"Publish JPEG or PNG of at most {MAX_IMAGE_PIXELS // 1_000_000} megapixels.",
        )
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), dtype=np.uint8)
