"""Frame -> arrays: the one function that the processor, the server and the ONNX engine use.

The depth contract. In: z in metres, float, registered to colour; 0, NaN, infinity and anything
outside `DEPTH_RANGE_M` are "not measured". The tower sees three planes in [-1, 1]:

0. inverse depth, scaled between the 1st and 99th percentile of the valid pixels and clipped:
   near is +1, far is -1 whatever the sensor; not measured is -1. Percentiles, because per-image
   min-max is destroyed by a handful of stray pixels;
1. validity: share of measured pixels, +1 all, -1 none;
2. log depth over the fixed `LOG_RANGE_M`, which keeps the metres that plane 0 gives away.

A 3x3 median on the sensor's own grid removes single stray pixels before anything is computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import FloatArray

DEPTH_RANGE_M = (0.05, 20.0)
LOG_RANGE_M = (0.25, 8.0)
PERCENTILES = (1.0, 99.0)
_MIN_CELL_VALIDITY = 0.25
_MIN_INVERSE_SPAN = 1e-3


@dataclass(frozen=True)
class PreprocessSpec:
    """What a checkpoint's towers expect.

    Attributes:
        width, height: size of the canvas that the towers see, pixels.
        image_tokens, depth_tokens: tokens that one image and one depth map become.
        mean, std: normalisation of colour in [0, 1].
    """

    width: int
    height: int
    image_tokens: int
    depth_tokens: int
    mean: float = 0.5
    std: float = 0.5

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> PreprocessSpec:
        """Read it from a checkpoint's JSON; unknown names are an error."""
        return cls(**fields)


@dataclass(frozen=True)
class Letterbox:
    """How an image lies on the canvas: scaled by `scale`, its corner at (`x0`, `y0`) pixels."""

    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @property
    def scale(self) -> float:
        return min(self.canvas_width / self.width, self.canvas_height / self.height)

    @property
    def inner_size(self) -> tuple[int, int]:
        """Width and height of the image on the canvas, pixels."""
        return (
            max(1, round(self.width * self.scale)),
            max(1, round(self.height * self.scale)),
        )

    @property
    def corner(self) -> tuple[int, int]:
        """Upper left corner (x0, y0) of the image on the canvas, pixels."""
        inner_width, inner_height = self.inner_size
        return (self.canvas_width - inner_width) // 2, (self.canvas_height - inner_height) // 2

    def to_canvas(self, point: tuple[float, float]) -> tuple[float, float]:
        """Map (x, y) in [0, 1] of the image to [0, 1] of the canvas."""
        (x0, y0), (inner_width, inner_height) = self.corner, self.inner_size
        return (
            (point[0] * inner_width + x0) / self.canvas_width,
            (point[1] * inner_height + y0) / self.canvas_height,
        )

    def to_image(self, point: tuple[float, float]) -> tuple[float, float]:
        """Map (x, y) in [0, 1] of the canvas to the image, clipped to its border."""
        (x0, y0), (inner_width, inner_height) = self.corner, self.inner_size
        x = (point[0] * self.canvas_width - x0) / inner_width
        y = (point[1] * self.canvas_height - y0) / inner_height
        return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)


def _resize(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Resize to (width, height); area-averaged when shrinking, so that nothing aliases."""
    height, width = image.shape[:2]
    if (width, height) == size:
        return image
    shrinks = size[0] <= width and size[1] <= height
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def image_array(rgb: NDArray[np.uint8], spec: PreprocessSpec) -> NDArray[np.float32]:
    """Return the (3, height, width) float32 colour canvas; the border is 0 (mid grey)."""
    box = Letterbox(rgb.shape[1], rgb.shape[0], spec.width, spec.height)
    (x0, y0), (inner_width, inner_height) = box.corner, box.inner_size
    inner = _resize(rgb, box.inner_size).astype(np.float32)
    canvas = np.zeros((3, spec.height, spec.width), np.float32)
    scaled = (inner * (1 / 255.0) - spec.mean) / spec.std
    canvas[:, y0 : y0 + inner_height, x0 : x0 + inner_width] = scaled.transpose(2, 0, 1)
    return canvas


def depth_array(depth_m: FloatArray, spec: PreprocessSpec) -> NDArray[np.float32]:
    """Return the (3, height, width) float32 depth canvas of the contract above.

    Raises:
        RoboReferError: BAD_DEPTH when not one pixel is measured.
    """
    box = Letterbox(depth_m.shape[1], depth_m.shape[0], spec.width, spec.height)
    inverse, validity = _inverse_on_canvas(depth_m, box)
    valid = validity >= _MIN_CELL_VALIDITY
    if not valid.any():
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"No depth pixel lies between {DEPTH_RANGE_M[0]} and {DEPTH_RANGE_M[1]} m.",
            "Check the unit and the sensor, or leave depth out to get a 2D answer.",
        )
    low, high = np.percentile(inverse[valid], PERCENTILES)
    if high - low < _MIN_INVERSE_SPAN:
        relative = np.full_like(inverse, 0.5)
    else:
        relative = np.clip((inverse - low) / (high - low), 0.0, 1.0)
    near, far = LOG_RANGE_M
    log_depth = -np.log(np.maximum(inverse, 1e-3))
    absolute = np.clip((log_depth - np.log(near)) / (np.log(far) - np.log(near)), 0.0, 1.0)
    planes = np.stack([np.where(valid, relative, 0), validity, np.where(valid, absolute, 0)])
    (x0, y0), (inner_width, inner_height) = box.corner, box.inner_size
    canvas = np.full((3, spec.height, spec.width), -1.0, np.float32)
    canvas[:, y0 : y0 + inner_height, x0 : x0 + inner_width] = planes * 2 - 1
    return canvas


def _inverse_on_canvas(
    depth_m: FloatArray, box: Letterbox
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return inverse depth (1/m) and validity in [0, 1], both at the image's size on the canvas."""
    depth = np.nan_to_num(depth_m.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    depth = cv2.medianBlur(depth, 3)
    measured = (depth >= DEPTH_RANGE_M[0]) & (depth <= DEPTH_RANGE_M[1])
    weight = measured.astype(np.float32)
    inverse = np.divide(weight, depth, out=np.zeros_like(depth), where=measured)
    total = _resize(inverse, box.inner_size)
    validity = _resize(weight, box.inner_size)
    mean = np.divide(total, validity, out=np.zeros_like(total), where=validity > 1e-6)
    return mean, np.clip(validity, 0.0, 1.0)
