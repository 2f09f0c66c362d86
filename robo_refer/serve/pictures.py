"""Images in requests -> frames: base64 or data URLs of PNG and JPEG, with every limit checked."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.depth_file import DepthUnit, depth_from
from robo_refer.files.frame_files import rgb_from
from robo_refer.files.pictures import decode
from robo_refer.types import FloatArray

_NEAREST_PER_M, _SPAN_PER_M = 0.2, 1.8
"""What relative depth is taken to be, for the model alone: inverse depth from 2.0 to 0.2 1/m."""


def content_of(text: str, field: str) -> bytes:
    """Return the bytes of base64 text or of a base64 data URL.

    Raises:
        RoboReferError: BAD_IMAGE when it is neither; addresses are never fetched.
    """
    head, comma, tail = text.partition(",")
    if text.startswith(("http://", "https://", "file:")) or (comma and "base64" not in head):
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"'{field}' is an address; this server fetches nothing.",
            "Send the image itself, as base64 or as a data URL.",
        )
    try:
        data = base64.b64decode(tail if comma else text, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"'{field}' is not base64.",
            "Encode the image file as base64, without line breaks.",
        )
    return data


def rgb_of(text: str, field: str) -> NDArray[np.uint8]:
    """Return (height, width, 3) RGB; raises BAD_IMAGE for what is no image, damaged or too big."""
    return rgb_from(content_of(text, field), Path(field))


def depth_of(text: str, field: str, unit: DepthUnit | None = None) -> FloatArray:
    """Return (height, width) metres of a 16-bit PNG (mm) or float TIFF (m); raises BAD_DEPTH."""
    return depth_from(content_of(text, field), Path(field), unit)


def depth_of_either_kind(text: str, field: str) -> FloatArray:
    """Return depth for a model's eyes; 8 bits are RoboRefer's relative depth, near bright.

    Relative depth has no scale. It becomes an inverse depth of a usual table, which is what a
    model may see; no 3D point must be made of it.
    """
    data = content_of(text, field)
    array = decode(Path(field), data, "depth map", ErrorCode.BAD_DEPTH).array
    if array.dtype != np.uint8:
        return depth_from(data, Path(field))
    relative = array if array.ndim == 2 else array[..., 0]
    if array.ndim == 3 and (array[..., 1:3] != relative[..., None]).any():
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"'{field}' is a colour picture, not depth.",
            "Send 16-bit millimetres, or relative depth in equal channels.",
        )
    if int(relative.max()) == int(relative.min()):
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"'{field}' has the same value everywhere.",
            "Send the depth of the scene, or none.",
        )
    inverse = _NEAREST_PER_M + _SPAN_PER_M * relative.astype(np.float32) / 255.0
    return np.asarray(1.0 / inverse, np.float32)
