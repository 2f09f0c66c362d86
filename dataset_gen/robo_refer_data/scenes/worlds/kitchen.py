"""The world `kitchen`: a counter with cupboards, a hob and tiles, kitchen things among others."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.library import Library
from robo_refer_data.assets.mesh import lathe
from robo_refer_data.assets.palette import Rgb, Surface, darker
from robo_refer_data.scenes import surroundings
from robo_refer_data.scenes.footprint import Footprint
from robo_refer_data.scenes.layout import Layout, Prop, pose
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

KITCHEN_THINGS = (
    "mug", "cup", "bowl", "plate", "teapot", "spoon", "knife", "bottle", "can", "tray", "sponge",
    "brush", "apple", "orange", "lemon", "pear", "banana", "carrot", "eggplant", "donut", "basket",
    "box", "toaster", "blender", "coffee maker", "fork", "glass", "bread", "wine bottle", "pan",
)  # fmt: skip
FAVOUR = 3.0
TOP_M = 0.04
DEEP_M = 0.62


def kitchen_layout(
    rng: Rng, library: Library, objects: tuple[int, int], width: int, height: int
) -> Layout:
    """Return a counter at a wall; its top is the main support; see `World`."""
    assets = made_assets(rng, library.favouring(KITCHEN_THINGS, FAVOUR), objects)
    spread = spread_m(assets)
    long, top_z = max(rng.uniform(1.8, 2.6), 2.4 * spread), rng.uniform(0.86, 0.94)
    focus = (rng.uniform(-1, 1) * max(long / 2 - spread - 0.1, 0), rng.uniform(-0.06, 0.04))
    middle_y = -DEEP_M / 2
    hob_x = focus[0] + rng.choice((-1, 1)) * (spread + 0.1)
    has_hob = rng.random() < 0.6 and abs(hob_x) < long / 2 - 0.32
    blocked = (Footprint(hob_x, 0.0, 0.3, 0.26),) if has_hob else ()
    half = (long / 2, DEEP_M / 2)
    main = Support((0.0, middle_y, top_z), half, 0.48, focus, blocked)
    placed = fill(rng, assets, [main], spread)
    at = (focus[0], middle_y + focus[1], top_z + 0.05)
    camera = view(rng, at, max(spread, 0.3) + 0.06, (-45, 45), (12, 52), width, height)
    props = _counter(rng, long, middle_y, top_z)
    if has_hob:
        props += _hob(hob_x, middle_y, top_z)
    props += _wall(rng, long, top_z)
    props.append(surroundings.floor_prop(rng, (0, 0), 0.0))
    lighting = surroundings.random_lighting(rng, facing=True)
    return Layout(placed, props, lighting, camera, rectangle(main), "counter")


def _counter(rng: Rng, long: float, y: float, top_z: float) -> list[Prop]:
    """Return the worktop and the cupboards below it."""
    front = surroundings.plain(surroundings.wall_surface(rng).colour, float(rng.uniform(0.1, 0.5)))
    grip = Surface((0.65, 0.65, 0.66), gloss=0.75, metal=1.0)
    below = top_z - TOP_M
    worktop = surroundings.table_surface(rng)
    props = [slab((long, DEEP_M, TOP_M), (0, y, below), worktop, is_surface=True)]
    props.append(slab((long - 0.02, DEEP_M - 0.06, below - 0.1), (0, y + 0.03, 0.1), front))
    plinth = surroundings.plain(darker(front.colour, 0.4))
    props.append(slab((long - 0.02, DEEP_M - 0.12, 0.1), (0, y + 0.06, 0), plinth))
    doors = round(long / 0.5)
    pitch = (long - 0.02) / doors
    face = y - DEEP_M / 2 + 0.06
    for k in range(doors):
        x = (k - (doors - 1) / 2) * pitch
        props.append(slab((pitch - 0.008, 0.018, below - 0.12), (x, face - 0.009, 0.11), front))
        props.append(slab((0.16, 0.02, 0.012), (x, face - 0.028, below - 0.07), grip))
    return props


def _hob(x: float, y: float, top_z: float) -> list[Prop]:
    """Return a glass plate with four rings."""
    glass = Surface((0.05, 0.05, 0.055), gloss=0.8)
    props = [slab((0.58, 0.5, 0.005), (x, y, top_z), glass)]
    for dx, dy, radius in ((-0.15, -0.11, 0.09), (0.15, -0.11, 0.075), (-0.15, 0.12, 0.075),
                           (0.15, 0.12, 0.09)):  # fmt: skip
        ring = lathe([(radius, 0.0), (radius, 0.001), (radius - 0.004, 0.001)], 28)
        place = pose(np.eye(3), np.array([x + dx, y + dy, top_z + 0.005]))
        props.append(Prop(ring, Surface((0.45, 0.45, 0.46)), place))
    return props


def _wall(rng: Rng, long: float, top_z: float) -> list[Prop]:
    """Return the wall, tiles above the counter, and sometimes cupboards on the wall."""
    props = [surroundings.wall_prop(rng, np.zeros(3), -np.pi / 2)]
    shade: Rgb = surroundings.wall_surface(rng).colour
    texture = str(rng.choice(("tiles", "bricks", "plain")))
    scale = float(rng.uniform(0.06, 0.15))
    tiles = Surface(shade, darker(shade, 0.75), texture, scale, 0.5)
    props.append(slab((long, 0.01, 0.55), (0, -0.006, top_z), tiles))
    if rng.random() < 0.45:
        look = surroundings.plain(surroundings.wall_surface(rng).colour, 0.3)
        props.append(slab((long, 0.33, 0.6), (0, -0.165, top_z + 0.55), look))
    return props


KITCHEN = World(kitchen_layout, physics=True, capacity_m2=1.1, span_m=0.5)
