"""A depth camera as a list of named effects, each of which can be left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer_data.render.model import Optics
from robo_refer_data.render.sensor import PATCH_CELLS, add_strays

Depth = NDArray[np.float32]
"""(height, width) metres, 0 where not measured."""


# A camera with an active pattern and two eyes (RealSense D400 like): 50 mm between them.
BASELINE_M = 0.05
DISPARITY_STEP_PX = 1 / 32
DEPTH_LIMIT_M = 6.0


@dataclass(frozen=True)
class View:
    """What the effects of a depth camera depend on, besides the depth that they act on.

    Attributes:
        exact_m: (height, width) exact depth, metres.
        rgb: (height, width, 3) uint8.
        optics: how what is seen reflects.
        slant: (height, width) cosine between the view and the surface, 1 where it is faced.
        patch: (height, width) a field between 0 and 1 that wanders slowly: matching fails in
            patches.
        focal_px: focal length, pixels.
    """

    exact_m: NDArray[np.float32]
    rgb: NDArray[np.uint8]
    optics: Optics
    slant: NDArray[np.float32]
    patch: NDArray[np.float32]
    focal_px: float


def camera_depth(
    depth_m: NDArray[np.float32],
    rgb: NDArray[np.uint8],
    optics: Optics,
    focal_px: float,
    effects: Sequence[str],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return depth as a depth camera would measure it, with the named effects.

    Args:
        depth_m: (height, width) float32 exact z, metres, 0 where nothing was hit.
        rgb: (height, width, 3) uint8, of the same view.
        optics: of the same view.
        focal_px: focal length of the view, pixels.
        effects: keys of `EFFECTS`, applied in the order in which they are there.
        rng: where the randomness comes from; each effect has its own, so that leaving one out
            changes nothing of the others.

    Returns (height, width) float32 metres, 0 where not measured.
    """
    rngs = dict(zip(EFFECTS, rng.spawn(len(EFFECTS)), strict=True))
    height, width = depth_m.shape
    cells = rng.random(PATCH_CELLS, dtype=np.float32)
    patch = np.clip(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    view = View(depth_m, rgb, optics, _slant(depth_m, focal_px), patch, focal_px)
    measured = depth_m.copy()
    for name, effect in EFFECTS.items():
        if name in effects:
            measured = np.where(measured > 0, effect(measured, view, rngs[name]), 0)
    return measured.astype(np.float32)


def _slant(depth_m: NDArray[np.float32], focal_px: float) -> NDArray[np.float32]:
    """Return the cosine between view and surface from the slope of depth, (height, width).

    Of the steps to both neighbours the smaller counts, so that an edge is no slope.
    """
    steps = []
    for axis in (0, 1):
        step = np.abs(np.diff(depth_m, axis=axis))
        ends = [((1, 0), (0, 0)), ((0, 1), (0, 0))]
        padded = [np.pad(step, end if axis == 0 else end[::-1], mode="edge") for end in ends]
        steps.append(np.minimum(*padded))
    slope = np.hypot(*steps) * focal_px / np.maximum(depth_m, 0.05)
    return (1 / np.sqrt(1 + slope**2)).astype(np.float32)


def _noise(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Axial noise, 0.5 mm + 1.5 mm/m^2 z^2, more on slanted surfaces, correlated over pixels."""
    height, width = depth.shape
    coarse = rng.standard_normal((max(height // 2, 1), max(width // 2, 1)), dtype=np.float32)
    noise = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    noise += 0.5 * rng.standard_normal(depth.shape, dtype=np.float32)
    sigma_m = (0.0005 + 0.0015 * depth**2) / np.maximum(view.slant, 0.3)
    return np.maximum(depth + sigma_m * noise, 0)


def _transparent(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Clear glass is mostly looked through: what lies behind it, a hole, rarely its own depth."""
    chance = 0.6 * view.patch + 0.4 * rng.random(depth.shape, dtype=np.float32)
    behind = depth + view.optics.behind_m - view.exact_m
    seen = np.where(chance < 0.3, 0, np.where(chance < 0.75, behind, depth))
    return np.where(view.optics.clear, seen, depth)


def _edges(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Holes along jumps of depth, wider on the side that only one of two eyes sees."""
    kernel = np.ones((3, 3), np.uint8)
    step = cv2.dilate(view.exact_m, kernel) - cv2.erode(view.exact_m, kernel)
    edge = (step > 0.04 * view.exact_m).astype(np.uint8)
    wide = cv2.dilate(edge, kernel).astype(bool)
    # the right eye's view of what is far is hidden to the left of what is near
    shadow = _hidden_from_second_eye(view)
    chance = rng.random(depth.shape, dtype=np.float32)
    lost = (edge.astype(bool) & (chance < 0.7)) | (wide & (chance < 0.28)) | shadow
    return np.where(lost, 0, depth)


def _hidden_from_second_eye(view: View) -> NDArray[np.bool_]:
    """Return the pixels whose surface the other eye, to the right, does not see."""
    disparity = view.focal_px * BASELINE_M / np.maximum(view.exact_m, 0.1)
    columns = np.arange(disparity.shape[1], dtype=np.float32)
    # a pixel lands at column - disparity in the other view: hidden where one to its right, which
    # is nearer, lands further left
    landing = columns - disparity
    least = np.minimum.accumulate(landing[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(landing > least + 1.0)


def _grazing(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Surfaces seen at less than about 12 degrees return too little light."""
    chance = rng.random(depth.shape, dtype=np.float32)
    return np.where(chance > (view.slant - 0.08) / 0.14, 0, depth)


def _dark(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Dark surfaces swallow the pattern, the more the farther they are; blown-out ones drown it."""
    chance = 0.5 * view.patch + 0.5 * rng.random(depth.shape, dtype=np.float32)
    brightness = view.rgb.max(axis=2) / 255.0
    risk = np.clip((0.16 - brightness) / 0.12, 0, 1) * np.clip(0.35 + 0.25 * depth, 0, 0.9)
    risk = np.maximum(risk, 0.5 * (view.rgb.min(axis=2) > 246))
    return np.where(chance < risk, 0, depth)


def _shiny(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Mirrors send the pattern elsewhere: metal and gloss lose pixels in highlights and facing us.

    What they keep is noisier.
    """
    optics = view.optics
    mirror = np.clip(optics.gloss - 0.35, 0, 1) * np.where(optics.metal, 1.2, 0.45)
    highlight = (view.rgb.min(axis=2) > 225) & (optics.gloss > 0.3)
    risk = np.clip(mirror * (0.35 + 0.9 * view.slant**8) + 0.7 * highlight, 0, 0.95)
    chance = 0.5 * view.patch + 0.5 * rng.random(depth.shape, dtype=np.float32)
    noise = 0.012 * mirror * depth * rng.standard_normal(depth.shape, dtype=np.float32)
    return np.where(chance < risk, 0, np.maximum(depth + noise, 0))


def _patches(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Blobs drop out, and one pixel in five hundred."""
    chance = rng.random(depth.shape, dtype=np.float32)
    return np.where((view.patch > 1.02 - 0.08 * rng.random()) | (chance < 0.002), 0, depth)


def _strays(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """A few pixels have depths that have nothing to do with the scene."""
    strayed = depth.copy()
    add_strays(strayed, rng, 1.0)
    return strayed


def _quantisation(depth: Depth, view: View, rng: np.random.Generator) -> Depth:
    """Disparity comes in steps of 1/32 pixel, so depth in steps that grow with its square.

    What is farther than 6 m is not measured; the rest is rounded to 1 mm.
    """
    disparity = view.focal_px * BASELINE_M / np.maximum(depth, 0.05)
    stepped = np.maximum(np.round(disparity / DISPARITY_STEP_PX), 1) * DISPARITY_STEP_PX
    quantised = np.round(view.focal_px * BASELINE_M / stepped * 1000) / 1000
    return np.where(depth <= DEPTH_LIMIT_M, quantised, 0)


EFFECTS: dict[str, Callable[[Depth, View, np.random.Generator], Depth]] = {
    "noise": _noise,
    "transparent": _transparent,
    "edges": _edges,
    "grazing": _grazing,
    "dark": _dark,
    "shiny": _shiny,
    "patches": _patches,
    "strays": _strays,
    "quantisation": _quantisation,
}
"""What a depth camera does to depth, in the order in which it happens."""
