"""The world `shelf`: two or three boards of a bookcase, seen from the front."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.library import Library
from robo_refer_data.assets.palette import darker
from robo_refer_data.scenes import surroundings
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

BOARD_M = 0.022


def shelf_layout(
    rng: Rng, library: Library, objects: tuple[int, int], width: int, height: int
) -> Layout:
    """Return a bookcase whose middle boards hold things; see `World`.

    No board is the main support: its free space is not asked for.
    """
    assets = made_assets(rng, library, objects)
    wide, deep = rng.uniform(0.75, 1.1) + 0.012 * len(assets), rng.uniform(0.28, 0.4)
    spacing, lowest = rng.uniform(0.3, 0.42), rng.uniform(0.06, 0.3)
    boards = int(rng.integers(4, 6))
    shown = 3 if len(assets) > 14 or rng.random() < 0.3 else 2
    first = int(rng.integers(0, boards - shown + 1))
    middle_y = -deep / 2 - 0.01
    heights = [lowest + k * spacing for k in range(boards)]
    supports = [
        Support(
            (0.0, middle_y - 0.01, heights[k] + BOARD_M),
            (wide / 2 - BOARD_M - 0.01, deep / 2 - 0.015),
            spacing - BOARD_M - 0.02 if k + 1 < boards else 0.5,
        )
        for k in range(first, first + shown)
    ]
    reach = min(max(spread_m(assets), 0.3), wide / 2)
    placed = fill(rng, assets, supports, reach)
    centre = (0.0, middle_y, float(np.mean([s.centre_m[2] for s in supports])) + 0.3 * spacing)
    seen = max(reach + 0.05, 0.62 * shown * spacing)
    camera = view(rng, centre, seen, (-32, 32), (-4, 26), width, height)
    props = _bookcase(rng, wide, deep, heights, spacing)
    props += [
        surroundings.floor_prop(rng, (0, 0), 0.0),
        surroundings.wall_prop(rng, np.zeros(3), -np.pi / 2),
    ]
    props += surroundings.wall_pictures(rng, np.array([1.6, 0, 0]), -np.pi / 2, (0.5, 1.8))
    return Layout(placed, props, surroundings.random_lighting(rng, facing=True), camera)


def _bookcase(
    rng: Rng, wide: float, deep: float, heights: list[float], spacing: float
) -> list[Prop]:
    """Return boards, sides and mostly a back."""
    look = surroundings.table_surface(rng)
    y = -deep / 2 - 0.01
    open_top = rng.random() < 0.5
    top = heights[-1] + (BOARD_M if open_top else spacing)
    props = [slab((wide - 2 * BOARD_M, deep, BOARD_M), (0, y, z), look) for z in heights]
    if not open_top:
        props.append(slab((wide - 2 * BOARD_M, deep, BOARD_M), (0, y, top - BOARD_M), look))
    for x in (-(wide - BOARD_M) / 2, (wide - BOARD_M) / 2):
        props.append(slab((BOARD_M, deep, top), (x, y, 0), look))
    if rng.random() < 0.7:
        back = surroundings.plain(darker(look.colour, 0.85))
        props.append(slab((wide, 0.008, top), (0, -0.005, 0), back))
    return props


SHELF = World(shelf_layout, physics=True, capacity_m2=0.42, span_m=0.45)
