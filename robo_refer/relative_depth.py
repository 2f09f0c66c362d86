"""Depth as RoboRefer's code sees it: relative inverse depth, 8 bits, near is bright.

The released code opens a depth file and never converts it, so it must hold three equal 8-bit
channels (`process_depth` in llava/mm_utils.py of github.com/Zhoues/RoboRefer). Its own depth is
that of Depth Anything V2: affine-invariant, per-image 0..255, without unit or invalid pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.preprocess import DEPTH_RANGE_M, PERCENTILES
from robo_refer.types import FloatArray

_MIN_INVERSE_SPAN = 1e-3
_MIDDLE = 128


def relative_depth(depth_m: FloatArray) -> NDArray[np.uint8] | None:
    """Return (height, width) relative inverse depth: 255 is nearest, 0 farthest or not measured.

    Scaled between the percentiles of our own depth contract and not between the extremes as the
    released code does: a handful of stray pixels would crush those. A scene of one depth is 128.

    Args:
        depth_m: (height, width) metres; 0, NaN and what lies outside the contract's range are
            not measured.

    Returns:
        The image, or None where not one pixel is measured.
    """
    near, far = DEPTH_RANGE_M
    measured = (depth_m >= near) & (depth_m <= far)
    if not measured.any():
        return None
    inverse = 1.0 / depth_m[measured].astype(np.float64)
    low, high = np.percentile(inverse, PERCENTILES)
    image = np.zeros(depth_m.shape, np.uint8)
    if high - low < _MIN_INVERSE_SPAN:
        image[measured] = _MIDDLE
    else:
        scaled = np.clip((inverse - low) / (high - low), 0.0, 1.0)
        image[measured] = np.rint(scaled * 255).astype(np.uint8)
    return image


def from_disparity(disparity: FloatArray) -> NDArray[np.uint8]:
    """Return (height, width) relative depth of a model's disparity (near is large, no unit).

    Scaled between its extremes and cut, not rounded, to 8 bits, as the released server does; what
    a model predicts has no stray pixels. A map of one value is 128.
    """
    values = disparity.astype(np.float32)
    low, high = values.min(), values.max()
    if not high > low:
        return np.full(values.shape, _MIDDLE, np.uint8)
    return ((values - low) / (high - low) * 255.0).astype(np.uint8)


def encode(relative: NDArray[np.uint8]) -> bytes:
    """Encode (height, width) relative depth as a PNG of three equal channels."""
    done, data = cv2.imencode(".png", cv2.merge([relative] * 3))
    assert done  # PNG holds any 8-bit image
    return bytes(data)
