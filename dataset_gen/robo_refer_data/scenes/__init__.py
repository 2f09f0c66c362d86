"""Scenes: `observe` makes one, from a seed, with everything that is true of it."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.library import open_library
from robo_refer_data.observation import Half, Observation
from robo_refer_data.render import render
from robo_refer_data.render.optics import optics
from robo_refer_data.scenes.assemble import assemble
from robo_refer_data.scenes.decorrelated import decorrelated_layout
from robo_refer_data.scenes.layout import Layout, PlacedObject
from robo_refer_data.scenes.options import DEFAULT, SceneOptions
from robo_refer_data.scenes.truth import object_truths
from robo_refer_data.scenes.worlds import WORLDS

__all__ = ["Layout", "PlacedObject", "SceneOptions", "compose", "observe"]

_STREAMS = {"natural": 1, "decorrelated": 2}


def compose(
    seed: int, half: Half, width: int, height: int, options: SceneOptions = DEFAULT
) -> Layout:
    """Return the layout of the scene with this seed: objects, surroundings, light and camera.

    Raises:
        RoboReferError: MISSING_DEPENDENCY where things must settle and MuJoCo is not installed.
    """
    rng = np.random.default_rng([seed, _STREAMS[half]])
    world, library = WORLDS[options.world], open_library(options.assets)
    library = library.up_to(world.span_m)
    if half == "decorrelated":
        return decorrelated_layout(rng, library, width, height)
    layout = world.compose(rng, library, options.objects, width, height)
    if not (world.physics or options.physics):
        return layout
    from robo_refer_data.scenes.settle import settle  # needs MuJoCo

    return settle(layout).layout


def observe(
    seed: int,
    half: Half,
    width: int,
    height: int,
    options: SceneOptions = DEFAULT,
    *,
    antialias: int = 2,
) -> Observation:
    """Compose and draw one scene. The same arguments give the same bytes.

    Args:
        seed: which scene, 0 or more.
        half: natural or decorrelated (see `Half`).
        width: of the image, pixels.
        height: of the image, pixels.
        options: what kind of scene; things on a table, drawn by the default renderer.
        antialias: colour samples per pixel along each axis, at edges.

    Objects are listed when at least 35 % of them is visible and they cover 0.12 % of the image;
    the others keep their number in the instance image.
    """
    layout = compose(seed, half, width, height, options)
    scene = assemble(layout)
    result = render(scene, antialias, options.renderer)
    origins = [placed.asset.shape.origin for placed in layout.objects]
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
        support_name=layout.support_name,
        assets=options.assets,
        origins=tuple(dict.fromkeys(origin for origin in origins if origin is not None)),
        optics=optics(scene) if options.optics else None,
    )
