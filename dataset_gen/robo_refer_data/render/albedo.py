"""The colour of a surface before any light falls on it: a texture, or a picture."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from robo_refer_data.render.textures import texture_weight

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]


@njit(cache=True)
def _texel(x: float, y: float, image: I32, texels: F32, k: int) -> float:
    """Return one channel of a picture at texture coordinates, between its texels; it repeats."""
    first, width, height = image[0], image[1], image[2]
    x, y = (x - math.floor(x)) * width - 0.5, (1 - (y - math.floor(y))) * height - 0.5
    left, top = math.floor(x), math.floor(y)
    right_share, low_share = x - left, y - top
    value = 0.0
    for row in range(2):
        for column in range(2):
            place = (top + row) % height * width + (left + column) % width
            share = (low_share if row else 1 - low_share) * (
                right_share if column else 1 - right_share
            )
            value += share * texels[first + place, k]
    return value


@njit(cache=True)
def albedo(
    p: int, at: F32, looks: F32, textures: I32, images: I32, texels: F32
) -> tuple[float, float, float]:
    """Return the linear RGB of part `p` at the texture coordinates `at` (3,)."""
    if images[p, 1] > 0:
        return (
            _texel(at[0], at[1], images[p], texels, 0),
            _texel(at[0], at[1], images[p], texels, 1),
            _texel(at[0], at[1], images[p], texels, 2),
        )
    look = looks[p]
    weight = texture_weight(textures[p], at[0], at[1], at[2], look[6])
    return (
        min(max(look[0] + weight * (look[3] - look[0]), 0.0), 1.0),
        min(max(look[1] + weight * (look[4] - look[1]), 0.0), 1.0),
        min(max(look[2] + weight * (look[5] - look[2]), 0.0), 1.0),
    )


@njit(cache=True)
def albedos(part: I32, coordinate: F32, looks: F32, textures: I32, images: I32, texels: F32) -> F32:
    """Return (N, 3) linear RGB of the surfaces at N hits, 1 where nothing was hit; see `shade`."""
    found = np.ones((part.shape[0], 3), np.float32)
    for i in range(part.shape[0]):
        if part[i] >= 0:
            a0, a1, a2 = albedo(part[i], coordinate[i], looks, textures, images, texels)
            found[i, 0], found[i, 1], found[i, 2] = a0, a1, a2
    return found
