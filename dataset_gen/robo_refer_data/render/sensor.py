"""What a depth camera would have measured: noise, holes and stray pixels added to exact depth.

One fixed mixture, which nano was taught on; `depth_camera` knows about materials as well.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PATCH_CELLS = (24, 32)  # rows and columns of the grid on which dropout wanders


def sensor_depth(
    depth_m: NDArray[np.float32],
    rgb: NDArray[np.uint8],
    rng: np.random.Generator,
    strength: float = 1.0,
) -> NDArray[np.float32]:
    """Return a sensor-like copy of an exact depth image.

    Axial noise grows with distance squared (0.5 mm + 1.5 mm/m^2 z^2, near the structured-light
    model of Khoshelham and Elberink 2012 and of active stereo), correlated over a few pixels as
    stereo matching makes it; depth edges, dark and blown-out patches lose pixels; blobs drop out;
    a few pixels are far off; the rest is rounded to 1 mm.

    Args:
        depth_m: (height, width) float32 metres, 0 where nothing was hit.
        rgb: (height, width, 3) uint8, of the same view.
        rng: where the randomness comes from.
        strength: scales noise and loss, 1 being a usual sensor; 0 leaves rounding only.

    Returns (height, width) float32 metres, 0 where not measured.
    """
    height, width = depth_m.shape
    small = (max(width // 2, 1), max(height // 2, 1))
    coarse = rng.standard_normal((small[1], small[0]), dtype=np.float32)
    noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    noise += 0.5 * rng.standard_normal(depth_m.shape, dtype=np.float32)
    sigma_m = strength * (0.0005 + 0.0015 * depth_m * depth_m)
    measured = depth_m + sigma_m * noise

    measured[_lost(depth_m, rgb, rng, strength) | (depth_m <= 0)] = 0
    add_strays(measured, rng, strength)
    return np.round(measured * 1000).astype(np.float32) * np.float32(0.001)


def _lost(
    depth_m: NDArray[np.float32],
    rgb: NDArray[np.uint8],
    rng: np.random.Generator,
    strength: float,
) -> NDArray[np.bool_]:
    """Return the pixels without a measurement."""
    height, width = depth_m.shape
    chance = rng.random(depth_m.shape, dtype=np.float32)
    kernel = np.ones((3, 3), np.uint8)
    step = cv2.dilate(depth_m, kernel) - cv2.erode(depth_m, kernel)
    edge = step > 0.04 * depth_m
    wide = cv2.dilate(edge.astype(np.uint8), kernel).astype(bool)

    # matching fails in patches: this field wanders slowly between 0 and 1 over the image
    cells = rng.random(PATCH_CELLS, dtype=np.float32)
    patch = cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)
    dark, blown = rgb.max(axis=2) < 34, rgb.min(axis=2) > 246
    hard = (dark & (patch > 0.55)) | (blown & (patch > 0.4))
    blobs = patch > 1.02 - 0.08 * strength * rng.random()
    lost = (edge & (chance < 0.7 * strength)) | (wide & (chance < 0.28 * strength))
    lost |= (hard & (chance < 0.9 * strength)) | (blobs & (strength > 0))
    return lost | (chance < 0.002 * strength)


def add_strays(measured: NDArray[np.float32], rng: np.random.Generator, strength: float) -> None:
    """Overwrite a few pixels with depths that have nothing to do with the scene."""
    height, width = measured.shape
    count = int(rng.poisson(2.5e-4 * strength * height * width))
    rows, columns = rng.integers(0, height, count), rng.integers(0, width, count)
    measured[rows, columns] = rng.uniform(0.15, 6.0, count).astype(np.float32)
