"""A depth map as a picture: near is warm, far is cold, what was not measured is grey."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray
from robo_refer.viz.marks import WHITE, draw_plate
from robo_refer.viz.text import Image, put_text, text_size

HOLE = (110, 112, 118)
HOLE_TEXT = (190, 192, 198)
_PERCENTILES = (1.0, 99.0)


def depth_range(depth_m: FloatArray) -> tuple[float, float]:
    """Return the (near, far) metres that a picture of this depth spans; (0, 1) if it is empty."""
    measured = depth_m[_measured(depth_m)]
    if measured.size == 0:
        return 0.0, 1.0
    near, far = (float(value) for value in np.percentile(measured, _PERCENTILES))
    return near, max(far, near + 1e-3)


def depth_picture(depth_m: FloatArray, size: tuple[int, int]) -> Image:
    """Return the depth map as (height, width, 3) RGB with its scale in metres.

    Args:
        depth_m: (height, width) metres; 0, NaN and infinities are holes.
        size: (width, height) of the picture in pixels.
    """
    near, far = depth_range(depth_m)
    # Nearest pixel: blending a hole with a surface would invent a distance.
    resized = cv2.resize(depth_m.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    measured = _measured(resized)
    clean = np.where(measured, resized, near)
    level = np.clip((far - clean) / (far - near), 0, 1) * 255
    picture = _colours(level.astype(np.uint8))
    picture[~measured] = HOLE
    _draw_scale(picture, near, far, has_holes=bool((~measured).mean() > 0.002))
    return picture


def _draw_scale(picture: Image, near: float, far: float, has_holes: bool) -> None:
    height, width = picture.shape[:2]
    text = max(12.0, height / 26)
    bar, thick = width * 0.28, text * 0.55
    left, right = f"{near:.2f} m", f"{far:.2f} m"
    note = "grey: not measured" if has_holes else ""
    pad = text * 0.4
    labels = text_size(left, text)[0] + text_size(right, text)[0]
    note_width = text_size(note, text)[0] + 3 * pad if note else 0
    total = bar + labels + note_width + 6 * pad
    x, y = pad, height - text - 3 * pad
    draw_plate(picture, (x, y), (total, text + 2 * pad))
    put_text(picture, left, (x + pad, y + pad), text, WHITE)
    x += 2 * pad + text_size(left, text)[0]
    top = round(y + pad + (text - thick) / 2)
    ramp = _colours(np.linspace(255, 0, max(1, round(bar))).astype(np.uint8)[None])
    part = picture[top : top + round(thick), round(x) : round(x) + ramp.shape[1]]
    part[:] = ramp[:, : part.shape[1]]
    put_text(picture, right, (x + bar + pad, y + pad), text, WHITE)
    if note:
        x += bar + 4 * pad + text_size(right, text)[0]
        put_text(picture, note, (x, y + pad), text, HOLE_TEXT)


def _colours(levels: NDArray[np.uint8]) -> Image:
    """Return (height, width, 3) RGB of (height, width) levels, 0 far to 255 near."""
    return cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)


def _measured(depth_m: FloatArray) -> NDArray[np.bool_]:
    return np.isfinite(depth_m) & (depth_m > 0)
