"""The world `tabletop`: things standing, stacked, put away and leaning on a table in a room."""

from __future__ import annotations

import numpy as np

from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.assets.library import Library
from robo_refer_data.scenes import choose, surroundings
from robo_refer_data.scenes.layout import Layout, Prop, camera_at
from robo_refer_data.scenes.placing import Tabletop
from robo_refer_data.scenes.worlds.world import World

Rng = np.random.Generator
CROWD = 12  # objects; a table for more of them is larger
FOCUS_SHARE = 0.8  # of the visible width at the table that objects are spread over


def _camera(rng: Rng, focus: FloatArray, spread_m: float, width: int, height: int) -> CameraModel:
    """Return a camera that looks down at the focus from a random side."""
    steep = rng.random() < 0.14  # an arm's camera looks almost straight down
    pitch = np.radians(rng.uniform(65, 84) if steep else rng.uniform(16, 62))
    hfov = np.radians(rng.uniform(45, 75))
    roll = np.radians(rng.uniform(-8, 8) if rng.random() < 0.85 else rng.uniform(-25, 25))
    yaw = rng.uniform(-np.pi, np.pi)
    distance = (spread_m / FOCUS_SHARE) / np.tan(hfov / 2) * rng.uniform(
        0.95, 1.25
    ) + 0.3 * spread_m
    distance = max(distance, 0.38)
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])
    target = focus + rng.uniform(-0.12, 0.12, 3) * [spread_m, spread_m, 0] + [0, 0, 0.03]
    return camera_at(target - distance * forward, forward, roll, hfov, width, height)


def tabletop_layout(
    rng: Rng, library: Library, objects: tuple[int, int], width: int, height: int
) -> Layout:
    """Return a table with objects in a room, and a camera that sees them; see `World`."""
    half_x, half_y = rng.uniform(0.4, 0.9), rng.uniform(0.35, 0.6)
    round_top = bool(rng.random() < 0.25)
    if round_top:
        half_x = half_y = rng.uniform(0.4, 0.65)
    table_height = rng.uniform(0.4, 1.0)
    count = int(rng.integers(objects[0], objects[1] + 1))
    grow = max(count / CROWD, 1.0) ** 0.5
    half_x, half_y = grow * half_x, grow * half_y
    limit_x, limit_y = (0.68 * half_x, 0.68 * half_y) if round_top else (half_x, half_y)
    spread = rng.uniform(0.15, 0.2) + 0.022 * count
    focus = np.array(
        [
            rng.uniform(-1, 1) * max(limit_x - spread, 0),
            rng.uniform(-1, 1) * max(limit_y - spread, 0),
        ]
    )

    table = Tabletop(rng, limit_x, limit_y, table_height, focus, spread)
    taken: list[tuple[str, str]] = []
    arrangements = choose.pick_arrangements(rng, library)[: count // 2]
    hosts = [(host, "") for host, _, _ in arrangements]
    guests = [(guest, kind) for _, guest, kind in arrangements]
    others = [(spec, "") for spec in choose.pick_specs(rng, library, count - 2 * len(arrangements))]
    for spec, wish in hosts + guests + others:
        table.place(choose.make(rng, spec, taken), wish)

    camera = _camera(rng, np.array([*focus, table_height]), spread, width, height)
    props = surroundings.table_props(rng, half_x, half_y, round_top, table_height)
    props += _room(rng, camera, half_x, half_y, table_height)
    outline = _outline(half_x, half_y, round_top, table_height)
    return Layout(table.objects, props, surroundings.random_lighting(rng), camera, outline)


def _outline(half_x: float, half_y: float, round_top: bool, height_m: float) -> FloatArray:
    """Return the table top's outline: four corners, or 32 points of a circle."""
    if round_top:
        angle = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        x, y = half_x * np.cos(angle), half_y * np.sin(angle)
    else:
        x = half_x * np.array([-1.0, 1.0, 1.0, -1.0])
        y = half_y * np.array([-1.0, -1.0, 1.0, 1.0])
    return np.stack([x, y, np.full(len(x), height_m)], axis=1)


def _room(
    rng: Rng, camera: CameraModel, half_x: float, half_y: float, table_height: float
) -> list[Prop]:
    """Return floor, walls and clutter behind the table as the camera sees it."""
    assert camera.T_world_cam is not None
    forward = camera.T_world_cam[:3, 2]
    heading = float(np.arctan2(forward[1], forward[0]))
    edge = float(np.hypot(half_x, half_y))
    distance = edge + rng.uniform(0.05, 2.2)
    toward = heading + rng.uniform(-0.5, 0.5)
    foot = distance * np.array([np.cos(toward), np.sin(toward), 0.0])
    props = [
        surroundings.floor_prop(rng, (0, 0), 0.0),
        surroundings.wall_prop(rng, foot, toward + np.pi),
    ]
    props += surroundings.wall_pictures(rng, foot, toward + np.pi, (0.3, table_height + 0.9))
    if rng.random() < 0.4:
        side = toward + (np.pi / 2 if rng.random() < 0.5 else -np.pi / 2)
        corner = (edge + rng.uniform(0.3, 2.0)) * np.array([np.cos(side), np.sin(side), 0.0])
        props.append(surroundings.wall_prop(rng, corner, side + np.pi))
    props += surroundings.floor_clutter(rng, heading, edge + 0.25, edge + 1.8)
    return props


TABLETOP = World(tabletop_layout, physics=False, capacity_m2=0.3, span_m=0.5)
