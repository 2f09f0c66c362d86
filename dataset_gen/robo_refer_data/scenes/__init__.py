"""Scenes: `observe` makes one, from a seed, with everything that is true of it."""

from __future__ import annotations

import numpy as np

from robo_refer_data.observation import Half, Observation
from robo_refer_data.render import render
from robo_refer_data.scenes.assemble import assemble
from robo_refer_data.scenes.decorrelated import decorrelated_layout
from robo_refer_data.scenes.layout import Layout, PlacedObject
from robo_refer_data.scenes.natural import natural_layout
from robo_refer_data.scenes.truth import object_truths

__all__ = ["Layout", "PlacedObject", "compose", "observe"]

_HALVES = {"natural": (natural_layout, 1), "decorrelated": (decorrelated_layout, 2)}


def compose(seed: int, half: Half, width: int, height: int) -> Layout:
    """Return the layout of the scene with this seed: objects, surroundings, light and camera."""
    build, stream = _HALVES[half]
    return build(np.random.default_rng([seed, stream]), width, height)


def observe(seed: int, half: Half, width: int, height: int, *, antialias: int = 2) -> Observation:
    """Compose and draw one scene. The same arguments give the same bytes.

    Args:
        seed: which scene, 0 or more.
        half: natural or decorrelated (see `Half`).
        width: of the image, pixels.
        height: of the image, pixels.
        antialias: colour samples per pixel along each axis, at edges.

    Objects are listed when at least 35 % of them is visible and they cover 0.12 % of the image;
    the others keep their number in the instance image.
    """
    layout = compose(seed, half, width, height)
    scene = assemble(layout)
    result = render(scene, antialias)
    return Observation(
        rgb=result.rgb,
        depth_m=result.depth_m,
        instance=result.instance,
        surface=result.surface,
        camera=layout.camera,
        objects=object_truths(layout, scene, result),
        half=half,
        seed=seed,
        table_outline=layout.table_outline,
    )
