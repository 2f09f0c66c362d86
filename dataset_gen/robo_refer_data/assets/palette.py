"""Colour and material words, and what they look like."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]
"""sRGB in [0, 1]."""

COLOURS: dict[str, Rgb] = {
    "red": (0.78, 0.09, 0.09),
    "orange": (0.95, 0.46, 0.06),
    "yellow": (0.95, 0.82, 0.14),
    "green": (0.13, 0.52, 0.18),
    "blue": (0.10, 0.28, 0.74),
    "purple": (0.44, 0.16, 0.60),
    "pink": (0.95, 0.55, 0.70),
    "brown": (0.40, 0.23, 0.12),
    "white": (0.90, 0.90, 0.88),
    "grey": (0.50, 0.50, 0.51),
    "black": (0.07, 0.07, 0.075),
}
VIVID = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
BARE_METALS = ("grey", "brown")  # metal of any other colour is painted
PAINT = (*VIVID, "brown", "white", "grey", "black")


@dataclass(frozen=True)
class Surface:
    """How a part looks.

    Attributes:
        colour: main colour, sRGB.
        second: the texture's other colour, sRGB.
        texture: name in `render.textures.TEXTURES`.
        scale_m: size of the texture's pattern, metres (bands: a height, see the texture).
        gloss: 0 matt .. 1 mirror-like highlights.
        metal: 0 or 1, metals reflect in their own colour.
        image: (h, w, 3) uint8 sRGB shown at the mesh's texture coordinates, instead of `colour`.
    """

    colour: Rgb
    second: Rgb = (0.5, 0.5, 0.5)
    texture: str = "plain"
    scale_m: float = 0.02
    gloss: float = 0.3
    metal: float = 0.0
    image: NDArray[np.uint8] | None = None


FINISH: dict[str, tuple[float, float]] = {  # material word: (gloss, metal)
    "ceramic": (0.65, 0.0),
    "plastic": (0.45, 0.0),
    "metal": (0.75, 1.0),
    "wood": (0.15, 0.0),
    "glass": (0.95, 0.0),
    "paper": (0.05, 0.0),
    "rubber": (0.12, 0.0),
    "fabric": (0.0, 0.0),
    "": (0.3, 0.0),
}


def one_of(rng: np.random.Generator, options: Sequence[str]) -> str:
    """Return one of `options`, all equally likely."""
    return options[int(rng.integers(len(options)))]


def shade_of(rng: np.random.Generator, word: str) -> Rgb:
    """Return a random sRGB shade that a person would still call `word`."""
    red, green, blue = COLOURS[word]
    hue, saturation, value = colorsys.rgb_to_hsv(red, green, blue)
    spread = 0.010 if word in ("orange", "yellow", "red", "brown", "pink") else 0.022
    hue = (hue + rng.uniform(-spread, spread)) % 1.0
    if saturation > 0.1:
        saturation = float(np.clip(saturation * rng.uniform(0.88, 1.06), 0, 1))
    factor = rng.uniform(0.9, 1.06) if word in ("white", "black") else rng.uniform(0.84, 1.12)
    value = float(np.clip(value * factor, 0, 1))
    return colorsys.hsv_to_rgb(hue, saturation, value)


def darker(colour: Rgb, factor: float = 0.6) -> Rgb:
    """Return `colour` times `factor`."""
    return (colour[0] * factor, colour[1] * factor, colour[2] * factor)


def surface_of(rng: np.random.Generator, word: str, material: str) -> Surface:
    """Return a plain surface of this colour and material, with the grain that material has."""
    colour = shade_of(rng, word)
    gloss, metal = FINISH[material]
    gloss = float(np.clip(gloss * rng.uniform(0.75, 1.2), 0, 1))
    if material == "wood":
        return Surface(colour, darker(colour, 0.62), "wood", rng.uniform(0.008, 0.015), gloss)
    if material == "fabric":
        return Surface(colour, darker(colour, 0.7), "cloth", rng.uniform(0.003, 0.006), gloss)
    if metal and word not in BARE_METALS:
        return Surface(colour, colour, "plain", 0.02, gloss, 0.0)  # painted metal
    return Surface(colour, colour, "plain", 0.02, gloss, metal)
