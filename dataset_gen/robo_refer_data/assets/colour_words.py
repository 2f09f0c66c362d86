"""Which colour word a person would use for a surface, and for a thing made of several."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer_data.assets.mesh import Mesh
from robo_refer_data.assets.palette import COLOURS, Surface

CLEAR_SHARE = 0.6  # of the area: with less, a thing has no single colour
MAX_DISTANCE = 34.0  # in CIELAB: what is further from every word has none
SAMPLES = 4000  # triangles looked at


def colour_words(rgb: NDArray[np.float64]) -> list[str]:
    """Return the nearest word of `COLOURS` in CIELAB for sRGB values (N, 3) in [0, 1], or ""."""
    words = [*COLOURS, "white", "orange", "brown", "brown", "green", "blue"]
    shades = [*COLOURS.values(), (1, 1, 1), (0.75, 0.4, 0.15), (0.6, 0.42, 0.26),
              (0.72, 0.53, 0.34), (0.35, 0.6, 0.2), (0.35, 0.55, 0.85)]  # fmt: skip
    prototypes = _lab(np.array(shades))
    distance = np.sqrt(((_lab(rgb)[:, None] - prototypes[None]) ** 2).sum(-1))
    nearest, least = distance.argmin(axis=1), distance.min(axis=1)
    return [words[k] if far <= MAX_DISTANCE else "" for k, far in zip(nearest, least, strict=True)]


def dominant_colour(parts: Sequence[tuple[Mesh, Surface]]) -> str:
    """Return the word for most of the area of a thing, "" where no word is."""
    area: dict[str, float] = defaultdict(float)
    for mesh, surface in parts:
        corners = mesh.vertices[mesh.faces]
        sides = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        faces = 0.5 * np.sqrt((sides**2).sum(-1))
        if mesh.uv is None or surface.image is None:
            area[colour_words(np.array([surface.colour]))[0]] += float(faces.sum())
            continue
        step = max(len(faces) // SAMPLES, 1)
        rgb = _texels(surface.image, mesh.uv[mesh.faces[::step]].mean(axis=1))
        for word, share in zip(colour_words(rgb), faces[::step], strict=True):
            area[word] += float(share) * step
    word = max(area, key=lambda key: area[key])
    return word if area[word] >= CLEAR_SHARE * sum(area.values()) else ""


def _texels(image: NDArray[np.uint8], uv: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return sRGB (N, 3) of an image at (N, 2) texture coordinates, v upwards."""
    height, width = image.shape[:2]
    column = np.floor(uv[:, 0] % 1.0 * width).astype(int) % width
    row = np.minimum(np.floor((1 - uv[:, 1] % 1.0) * height).astype(int), height - 1)
    return image[row, column] / 255


def _lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    pixels = rgb.astype(np.float32).reshape(-1, 1, 3)
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB).reshape(-1, 3).astype(float)
