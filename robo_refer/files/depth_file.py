"""Depth files -> metres. The unit comes from the encoding or from the caller, never from a guess.

16-bit PNG is millimetres and 32-bit float (TIFF or `.npy`) is metres, as in ROS (REP-118). Whatever
else a file holds, its unit must be said.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.pictures import Picture, decode, read_bytes
from robo_refer.types import MAX_IMAGE_PIXELS

DepthUnit = Literal["mm", "m"]

_NPY = b"\x93NUMPY"
# No depth camera measures a scene whose median is farther; millimetres read as metres do.
_FARTHEST_MEDIAN_M = 100.0


def read_depth(path: Path, unit: DepthUnit | None = None) -> NDArray[np.float32]:
    """Return (height, width) float32 depth in metres; 0, NaN and infinities are "not measured".

    Args:
        path: 16-bit PNG, float TIFF, `.npy`; or any one-channel image or array with `unit`.
        unit: what one count of the file is, where the encoding does not say it, or to overrule it.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read, BAD_DEPTH when its content is no metric
            depth: no unit, several channels, negative, empty or constant.
    """
    return depth_from(read_bytes(path, "depth map"), path, unit)


def depth_from(data: bytes, path: Path, unit: DepthUnit | None = None) -> NDArray[np.float32]:
    """Return `read_depth` of a file's content; `path` only names it in errors."""
    if data.startswith(_NPY):
        stored = _load_npy(path, data)
        known: DepthUnit | None = "m" if stored.dtype.kind == "f" else None
    else:
        picture = decode(path, data, "depth map", ErrorCode.BAD_DEPTH)
        stored = _one_channel(path, picture)
        known = _unit_of(picture)
    if unit is None and known is None:
        raise _bad_depth(
            f"The unit of {stored.dtype} depth in {path.name} is not known.",
            "Say it with --depth-unit mm or --depth-unit m; 8-bit pictures of depth are often "
            "relative, and then no unit is right.",
        )
    scale = {"mm": 0.001, "m": 1.0}[unit or known or "m"]
    with np.errstate(over="ignore"):  # what is beyond all numbers becomes infinity: not measured
        depth_m = (stored.astype(np.float64) * scale).astype(np.float32)
    check_depth(depth_m, said=unit is not None)
    return depth_m


def check_depth(depth_m: NDArray[np.float32], *, said: bool) -> None:
    """Raise BAD_DEPTH when the values cannot be a measured scene.

    Args:
        depth_m: (height, width), metres.
        said: whether the caller stated the unit, so that far depth is meant.
    """
    measured = depth_m[np.isfinite(depth_m) & (depth_m != 0)]
    if measured.size == 0:
        raise _bad_depth(
            "The depth map holds no measurement: it is all zero or NaN.",
            "Check the camera, or leave --depth out to get a 2D answer.",
        )
    if measured.min() < 0:
        raise _bad_depth(
            f"The depth map has {int((measured < 0).sum())} negative values.",
            "Give z in front of the camera as positive numbers, and 0 where nothing was measured.",
        )
    if measured.size > 1 and measured.min() == measured.max():
        raise _bad_depth(
            f"The depth map is constant: every measured pixel is {measured[0]:.3f} m.",
            "Check the camera, or leave --depth out to get a 2D answer.",
        )
    median = float(np.median(measured))
    if not said and median > _FARTHEST_MEDIAN_M:
        raise _bad_depth(
            f"Read as metres, half of the depth map is farther than {median:.0f} m.",
            "If these are millimetres, say --depth-unit mm (or --depth-unit m if they are not).",
        )


def _load_npy(path: Path, data: bytes) -> NDArray[Any]:
    try:
        stream = io.BytesIO(data)
        version = np.lib.format.read_magic(stream)
        read_header = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, _, dtype = read_header(stream)
        # Checked before loading: a header may promise more than there is memory.
        if len(shape) == 2 and shape[0] * shape[1] <= MAX_IMAGE_PIXELS and dtype.kind in "fui":
            array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
            return array
    except Exception:  # a header is Python's text, and numpy, its tokenizer and parser may fail
        raise _bad_depth(
            f"{path.name} is not a whole .npy file.", "Write it again with numpy.save."
        ) from None
    raise _bad_depth(
        f"{path.name} holds an array of shape {shape} and type {dtype}.",
        f"Give (height, width) numbers, at most {MAX_IMAGE_PIXELS / 1e6:.0f} million.",
    )


def _unit_of(picture: Picture) -> DepthUnit | None:
    if picture.format == "PNG" and picture.array.dtype == np.uint16:
        return "mm"
    if picture.format == "TIFF" and picture.array.dtype.kind == "f":
        return "m"
    return None


def _one_channel(path: Path, picture: Picture) -> NDArray[Any]:
    """Return the (height, width) values, refusing what only looks like depth."""
    array = picture.array
    if picture.format == "JPEG":
        raise _bad_depth(
            f"{path.name} is a JPEG, which changes depth values.",
            "Save depth as 16-bit PNG (mm), or float TIFF or .npy (m).",
        )
    if array.ndim == 2:
        return array
    colours = array[..., :3]
    if array.shape[2] >= 3 and (colours == colours[..., :1]).all():
        raise _bad_depth(
            f"{path.name} is a grey picture in {array.shape[2]} channels: relative depth, "
            "with no unit and no zero.",
            "Give the camera's metric depth, or leave --depth out to get a 2D answer.",
        )
    raise _bad_depth(
        f"{path.name} has {array.shape[2]} channels: a colour picture, not depth.",
        "Save depth as 16-bit PNG (mm), or float TIFF or .npy (m).",
    )


def _bad_depth(message: str, remedy: str) -> RoboReferError:
    return RoboReferError(ErrorCode.BAD_DEPTH, message, remedy)
