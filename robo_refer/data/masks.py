"""Masks as COCO run-length encodings: small, exact, and read by every COCO tool.

A mask is a (height, width) bool array; an `Rle` is `{"size": [height, width], "counts": str}`.
Format: https://github.com/cocodataset/cocoapi (column-major runs, compressed ASCII counts).
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data.sample import Rle
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer.types import MAX_IMAGE_PIXELS

try:
    from pycocotools import mask as _coco
except ImportError as error:
    raise missing_package("pycocotools", "data") from error


def encode(mask: NDArray[Any]) -> Rle:
    """Encode a (height, width) mask; any non-zero value belongs to it."""
    if mask.ndim != 2:
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"A mask must be (height, width), got shape {mask.shape}.",
            "Give one channel.",
        )
    # OpenCV transposes several times faster than numpy does.
    columns = cv2.transpose(np.ascontiguousarray(mask != 0).view(np.uint8))
    rle = _coco.encode(columns.T)
    return {"size": [int(n) for n in rle["size"]], "counts": rle["counts"].decode("ascii")}


def decode(rle: Rle) -> NDArray[np.bool_]:
    """Decode to a (height, width) bool array; raises BAD_SAMPLE for a broken encoding."""
    return np.ascontiguousarray(_decode(rle), dtype=np.bool_)


def area(rle: Rle) -> int:
    """Count the mask's pixels, without decoding it."""
    _check(rle)
    return int(_coco.area(rle))


def point_in_mask(rle: Rle, u: int, v: int) -> bool:
    """Tell whether pixel (u right, v down) belongs to the mask; pixels off the image do not."""
    height, width = rle["size"]
    if not (0 <= u < width and 0 <= v < height):
        return False
    return bool(_decode(rle)[v, u])


def _decode(rle: Rle) -> NDArray[np.uint8]:
    """Decode to (height, width) uint8 in column-major order, as pycocotools makes it."""
    _check(rle)
    try:
        mask: NDArray[np.uint8] = _coco.decode(rle)
    except (ValueError, TypeError, UnicodeEncodeError) as error:
        raise _broken(str(error)) from error
    return mask


def _check(rle: Rle) -> None:
    """Refuse what pycocotools would read as a nonsensical size or crash on."""
    size, counts = rle.get("size"), rle.get("counts")
    if not isinstance(counts, str) or not isinstance(size, list | tuple) or len(size) != 2:
        raise _broken("it needs 'size' [height, width] and 'counts' as text")
    if min(size) < 1 or size[0] * size[1] > MAX_IMAGE_PIXELS:
        raise _broken(f"its size {list(size)} is impossible")


def _broken(reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_SAMPLE,
        f"A mask's run-length encoding cannot be read: {reason}.",
        "Encode masks with robo_refer.data.masks.encode.",
    )
