"""Augmentation: what separates a rendering from a camera, drawn anew every time it is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import FloatArray


def augment_rgb(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the image with another exposure, white balance, sharpness and noise."""
    image = rgb.astype(np.float32) / 255.0
    image = image ** rng.uniform(0.75, 1.35)
    gain = rng.uniform(0.75, 1.2) * rng.uniform(0.93, 1.07, 3)
    grey = image.mean(axis=2, keepdims=True)
    image = (grey + (image - grey) * rng.uniform(0.75, 1.2)) * gain.astype(np.float32)
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.9))
    sigma = rng.uniform(0.0, 0.03)
    image = image + rng.standard_normal(image.shape, np.float32) * np.float32(sigma)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)


def stray_pixels(depth_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the depth with a few pixels that are nonsense, as every sensor has them."""
    height, width = depth_m.shape
    count = int(rng.integers(1, 30))
    strays = depth_m.copy()
    rows, columns = rng.integers(0, height, count), rng.integers(0, width, count)
    strays[rows, columns] = rng.uniform(0.1, 6.0, count)
    return strays


def blob_holes(depth_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the depth with a few elliptic regions not measured."""
    height, width = depth_m.shape
    holed = depth_m.astype(np.float32)
    for _ in range(int(rng.integers(1, 6))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = tuple(int(a) for a in rng.integers(2, max(3, width // 12), 2))
        cv2.ellipse(holed, centre, axes, float(rng.uniform(0, 180)), 0, 360, 0.0, -1)
    return holed
