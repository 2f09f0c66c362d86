"""The world `desk`: a desk with drawers, a monitor or a riser, things of an office among others."""

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
    rectangle,
    slab,
    spread_m,
    view,
)

OFFICE = (
    "book", "laptop", "keyboard", "pen", "phone", "lamp", "scissors", "tape", "clock", "mug",
    "stapler", "pencil", "ruler", "calendar", "printer", "mobile phone", "tablet", "headphones",
)  # fmt: skip
FAVOUR = 4.0
TOP_M = 0.03


def desk_layout(
    rng: Rng, library: Library, objects: tuple[int, int], width: int, height: int
) -> Layout:
    """Return a desk at a wall; its top is the main support, a riser is another; see `World`."""
    assets = made_assets(rng, library.favouring(OFFICE, FAVOUR), objects)
    spread = spread_m(assets)
    wide = max(rng.uniform(1.1, 1.6), 1.7 * spread)
    deep, top_z = rng.uniform(0.6, 0.8), rng.uniform(0.7, 0.77)
    gap = rng.uniform(0.0, 0.05)
    main_y = -gap - deep / 2
    props, blocked, supports = _extras(rng, wide, deep, main_y, top_z)
    focus = (
        rng.uniform(-1, 1) * max(wide / 2 - spread, 0),
        rng.uniform(-0.5, 0.3) * max(deep / 2 - spread, 0.05),
    )
    half = (wide / 2, deep / 2)
    main = Support((0.0, main_y, top_z), half, 2.0, focus, tuple(blocked))
    placed = fill(rng, assets, [main, *supports], spread)
    at = (focus[0], main_y + focus[1], top_z + 0.04)
    camera = view(rng, at, max(spread, 0.3) + 0.05, (-50, 50), (18, 58), width, height)
    props += _desk(rng, wide, deep, main_y, top_z)
    props.append(surroundings.floor_prop(rng, (0, 0), 0.0))
    props.append(surroundings.wall_prop(rng, np.zeros(3), -np.pi / 2))
    props += surroundings.wall_pictures(rng, np.zeros(3), -np.pi / 2, (1.1, 1.6))
    lighting = surroundings.random_lighting(rng, facing=True)
    return Layout(placed, props, lighting, camera, rectangle(main), "desk")


def _desk(rng: Rng, wide: float, deep: float, y: float, top_z: float) -> list[Prop]:
    """Return the top, a block of drawers and a side panel."""
    look, body = surroundings.table_surface(rng), surroundings.wall_surface(rng)
    body = surroundings.plain(body.colour, 0.2)
    below = top_z - TOP_M
    side = rng.choice((-1, 1))
    drawers = 0.42
    props = [slab((wide, deep, TOP_M), (0, y, below), look, is_surface=True)]
    block_x = side * (wide - drawers - 0.04) / 2
    props.append(slab((drawers, deep - 0.06, below), (block_x, y + 0.02, 0), body))
    front = y - (deep - 0.06) / 2 + 0.02
    for k in range(3):
        z = 0.08 + k * (below - 0.08) / 3
        drawer_size = (drawers - 0.02, 0.02, (below - 0.1) / 3 - 0.01)
        props.append(slab(drawer_size, (block_x, front - 0.01, z), body))
        handle = (block_x, front - 0.03, z + 0.09)
        props.append(slab((0.12, 0.02, 0.014), handle, Surface((0.6, 0.6, 0.6), gloss=0.7)))
    panel = (-side * (wide / 2 - 0.03), y, 0)
    return [*props, slab((0.03, deep - 0.06, below), panel, look)]


def _extras(
    rng: Rng, wide: float, deep: float, y: float, top_z: float
) -> tuple[list[Prop], list[Footprint], list[Support]]:
    """Return a monitor or a riser at the back, or nothing; what they block; the riser's top."""
    kind = rng.choice(("monitor", "riser", "nothing"), p=(0.45, 0.3, 0.25))
    x = float(rng.uniform(-0.3, 0.3) * wide)
    local_y = deep / 2 - 0.14
    if kind == "monitor":
        case = Surface((0.06, 0.06, 0.07), gloss=0.35)
        screen = surroundings.picture_surface(rng)
        size = float(rng.uniform(0.46, 0.62))
        props = [
            slab((0.24, 0.18, 0.012), (x, y + local_y, top_z), case),
            slab((0.05, 0.03, 0.12), (x, y + local_y + 0.03, top_z + 0.012), case),
            slab((size, 0.03, 0.58 * size), (x, y + local_y, top_z + 0.1), case),
            slab((size - 0.03, 0.004, 0.58 * size - 0.03),
                 (x, y + local_y - 0.016, top_z + 0.115), screen),
        ]  # fmt: skip
        return props, [Footprint(x, local_y, size / 2, 0.11)], []
    if kind == "riser":
        look = surroundings.table_surface(rng)
        length, board, high = float(rng.uniform(0.5, 0.75)), 0.02, float(rng.uniform(0.1, 0.16))
        props = [slab((length, 0.24, board), (x, y + local_y, top_z + high - board), look)]
        for side in (-1, 1):
            foot = (x + side * (length / 2 - 0.015), y + local_y, top_z)
            props.append(slab((0.025, 0.24, high - board), foot, look))
        support = Support((x, y + local_y, top_z + high), (length / 2, 0.12), 1.5)
        return props, [Footprint(x, local_y, length / 2, 0.12)], [support]
    return [], [], []


DESK = World(desk_layout, physics=True, capacity_m2=0.66, span_m=0.5)
