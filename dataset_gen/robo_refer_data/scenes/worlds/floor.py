"""The world `floor`: the corner of a room, with things and furniture on the floor."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.library import Library
from robo_refer_data.assets.palette import Surface
from robo_refer_data.scenes import surroundings
from robo_refer_data.scenes.footprint import Footprint
from robo_refer_data.scenes.layout import Layout, Prop
from robo_refer_data.scenes.worlds.world import (
    Rng,
    Support,
    World,
    fill,
    made_assets,
    slab,
    spread_m,
    view,
)

THINGS = (
    "basket", "box", "ball", "block", "book", "toy car", "toy elephant", "duck", "plant", "chair",
    "armchair", "stool", "bin", "shoes", "backpack", "suitcase", "teddy bear",
)  # fmt: skip
FAVOUR = 2.5
LARGE_M = 1.2


def floor_layout(
    rng: Rng, library: Library, objects: tuple[int, int], width: int, height: int
) -> Layout:
    """Return the corner x = 0, y = 0 of a room; the floor is the main support; see `World`.

    It has no outline: nothing lies at the edge of the floor.
    """
    assets = made_assets(rng, library.favouring(THINGS, FAVOUR), objects)
    spread = max(spread_m(assets), 0.3)
    away = spread + rng.uniform(0.05, 0.35, 2)
    centre = (float(away[0]), -float(away[1]), 0.0)
    props, blocked = _furniture(rng, centre, spread)
    half = (spread + 0.02, spread + 0.02)
    placed = fill(rng, assets, [Support(centre, half, 3.0, blocked=tuple(blocked))], spread)
    at = (centre[0], centre[1], 0.08)
    camera = view(rng, at, spread + 0.08, (-75, -15), (22, 58), width, height)
    floor = surroundings.floor_prop(rng, (0, 0), 0.0)
    props.append(Prop(floor.mesh, floor.surface, floor.T_world_prop, is_surface=True))
    look = surroundings.wall_surface(rng)
    props.append(surroundings.wall_prop(rng, np.zeros(3), -np.pi / 2, look))
    props.append(surroundings.wall_prop(rng, np.zeros(3), 0.0, look))
    props += surroundings.wall_pictures(rng, np.array([1.2, 0, 0]), -np.pi / 2, (0.7, 1.6))
    skirting = surroundings.plain((0.9, 0.9, 0.88), 0.3)
    props.append(slab((8, 0.015, 0.09), (4, -0.0075, 0), skirting))
    props.append(slab((0.015, 8, 0.09), (0.0075, -4, 0), skirting))
    if rng.random() < 0.4:
        props.append(_rug(rng, centre, spread))
    lighting = surroundings.random_lighting(rng, facing=True)
    return Layout(placed, props, lighting, camera, None, "floor")


def _rug(rng: Rng, centre: tuple[float, float, float], spread: float) -> Prop:
    """Return a rug; it is part of the floor."""
    look = surroundings.cloth_surface(rng)
    size = (*(spread * rng.uniform(0.8, 1.5, 2)), 0.002)
    return slab(size, centre, look, is_surface=True)


def _furniture(
    rng: Rng, centre: tuple[float, float, float], spread: float
) -> tuple[list[Prop], list[Footprint]]:
    """Return a cupboard at one of the walls or nothing, and what it blocks."""
    props, blocked = [], []
    for wall in rng.permutation(2)[: int(rng.integers(0, 2))]:
        size = rng.uniform((0.35, 0.3, 0.3), (0.8, 0.4, 0.75))
        along = float(rng.uniform(0.9, 1.6) * spread + 0.3)
        if wall:  # at the wall x = 0
            size = size[[1, 0, 2]]
            at = (size[0] / 2 + 0.02, -along)
        else:
            at = (along, -size[1] / 2 - 0.02)
        look = surroundings.table_surface(rng)
        props.append(slab(size, (*at, 0), Surface(look.colour, look.second, look.texture,
                                                 look.scale_m, look.gloss)))  # fmt: skip
        half = size[:2] / 2
        blocked.append(Footprint(at[0] - centre[0], at[1] - centre[1], half[0], half[1]))
    return props, blocked


FLOOR = World(floor_layout, physics=True, capacity_m2=float("inf"), span_m=LARGE_M)
