"""The files of one `Frame`: colour image, depth, camera."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.camera_file import read_camera
from robo_refer.files.depth_file import DepthUnit, read_depth
from robo_refer.files.pictures import decode, read_bytes
from robo_refer.types import Frame


def load_frame(
    rgb: Path,
    depth: Path | None = None,
    camera: Path | None = None,
    depth_unit: DepthUnit | None = None,
) -> Frame:
    """Return the frame that the files hold.

    Raises:
        RoboReferError: BAD_FILE, BAD_IMAGE, BAD_DEPTH or BAD_CAMERA, naming the file; BAD_REQUEST
            when a unit is given without depth.
    """
    if depth is None and depth_unit is not None:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "--depth-unit was given without --depth.",
            "Name the depth file with --depth.",
        )
    return Frame(
        rgb=read_rgb(rgb),
        depth_m=None if depth is None else read_depth(depth, depth_unit),
        camera=None if camera is None else read_camera(camera),
    )


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB; a grey image is repeated in three channels.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read; BAD_IMAGE when it is no image, damaged,
            over 8 bits a channel, or partly transparent.
    """
    return rgb_from(read_bytes(path, "image"), path)


def rgb_from(data: bytes, path: Path) -> NDArray[np.uint8]:
    """Return `read_rgb` of a file's content; `path` only names it in errors."""
    array = decode(path, data, "image", ErrorCode.BAD_IMAGE).array
    if array.dtype != np.uint8:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The image {path} holds {array.dtype} values; colour is 8 bits a channel.",
            "Convert it to 8-bit RGB; if it is a depth map, pass it with --depth.",
        )
    if array.ndim == 2:
        array = array[..., None]
    channels = array.shape[2]
    if channels in (2, 4) and array[..., -1].min() < 255:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The image {path} has transparent pixels, whose colour means nothing.",
            "Flatten it onto a background first.",
        )
    if channels <= 2:
        return np.repeat(array[..., :1], 3, axis=2)
    return np.asarray(cv2.cvtColor(array[..., :3], cv2.COLOR_BGR2RGB), dtype=np.uint8)
