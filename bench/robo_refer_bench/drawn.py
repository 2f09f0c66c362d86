"""A drawn RGB-D frame: a table with a ball, a box and a bowl, the same on every machine.

Speed needs an input of the right size and kind that is there without a dataset; what is answered
about it is no measure of anything.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import CameraModel, Frame

WIDTH, HEIGHT = 640, 480


def drawn_frame() -> Frame:
    """Return a 640x480 frame with depth in metres (0.6 to 2 m, with holes) and a camera."""
    rng = np.random.default_rng(0)
    rows = np.linspace(0.0, 1.0, HEIGHT, dtype=np.float32)[:, None]
    rgb = np.empty((HEIGHT, WIDTH, 3), np.uint8)
    rgb[:] = (205, 200, 190)
    rgb[HEIGHT // 4 :] = (140, 105, 70)
    depth = np.repeat(2.0 - 1.3 * rows, WIDTH, axis=1)
    _paint(rgb, depth, _disc((170, 300), 55), (200, 40, 40), 1.05)
    _paint(rgb, depth, _rectangle((290, 210), (390, 310)), (40, 150, 60), 1.15)
    _paint(rgb, depth, _disc((500, 350), 70), (60, 80, 190), 0.9)
    noisy = rgb.astype(np.int16) + rng.integers(-6, 7, rgb.shape, dtype=np.int16)
    depth += 0.002 * rng.standard_normal(depth.shape, dtype=np.float32)
    depth[rng.random(depth.shape) < 0.02] = 0.0
    camera = CameraModel(WIDTH, HEIGHT, 600.0, 600.0, 319.5, 239.5, T_world_cam=np.eye(4))
    return Frame(np.clip(noisy, 0, 255).astype(np.uint8), depth, camera)


def _disc(centre: tuple[int, int], radius: int) -> NDArray[np.bool_]:
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(shape, centre, radius, 1, -1)
    return shape > 0


def _rectangle(corner: tuple[int, int], opposite: tuple[int, int]) -> NDArray[np.bool_]:
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.rectangle(shape, corner, opposite, 1, -1)
    return shape > 0


def _paint(
    rgb: NDArray[np.uint8],
    depth: NDArray[np.float32],
    mask: NDArray[np.bool_],
    colour: tuple[int, int, int],
    z: float,
) -> None:
    rgb[mask] = colour
    depth[mask] = z
