"""Rooms, tables, clutter and light: what is there besides the objects."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.assets.mesh import Mesh, box, extrude, lathe, rotation
from robo_refer_data.assets.palette import COLOURS, Rgb, Surface, darker, one_of, shade_of
from robo_refer_data.render import Lighting
from robo_refer_data.scenes.layout import Prop, pose

Rng = np.random.Generator
WOODS: tuple[Rgb, ...] = (
    (0.72, 0.53, 0.33), (0.55, 0.36, 0.20), (0.36, 0.22, 0.13), (0.82, 0.68, 0.48),
    (0.6, 0.48, 0.38),
)  # fmt: skip


def _tint(rng: Rng, saturation: float, low: float, high: float) -> Rgb:
    """Return a random muted colour."""
    hue = rng.uniform(0, 1)
    value = rng.uniform(low, high)
    strength = rng.uniform(0, saturation)
    phases = np.array([0.0, 1 / 3, 2 / 3])
    rgb = value * (1 - strength * (0.5 + 0.5 * np.cos(2 * np.pi * (hue - phases))))
    return (float(rgb[0]), float(rgb[1]), float(rgb[2]))


def _near(rng: Rng, colour: Rgb, low: float = 0.6, high: float = 1.2) -> Rgb:
    """Return a lighter or darker version of a colour."""
    factor = rng.uniform(low, high)
    return tuple(min(c * factor, 1.0) for c in colour)  # type: ignore[return-value]


def table_surface(rng: Rng) -> Surface:
    """Return a look for a table top."""
    kind = rng.random()
    gloss = rng.uniform(0.05, 0.5)
    if kind < 0.34:
        wood = _near(rng, WOODS[int(rng.integers(len(WOODS)))], 0.8, 1.15)
        texture = "wood" if rng.random() < 0.55 else "planks"
        scale = rng.uniform(0.025, 0.05) if texture == "wood" else rng.uniform(0.07, 0.14)
        return Surface(wood, darker(wood, rng.uniform(0.6, 0.8)), texture, scale, gloss)
    if kind < 0.52:  # plain or faintly mottled, any colour
        colour = (
            shade_of(rng, one_of(rng, tuple(COLOURS)))
            if rng.random() < 0.5
            else _tint(rng, 0.6, 0.2, 0.95)
        )
        return Surface(
            colour, _near(rng, colour, 0.88, 0.98), "noise", rng.uniform(0.02, 0.2), gloss
        )
    colour = _tint(rng, 0.55, 0.25, 0.95)
    texture = one_of(
        rng, ["cloth", "marble", "speckle", "checker", "stripes", "tiles", "noise", "dots"]
    )
    scales = {"cloth": (0.006, 0.012), "speckle": (0.005, 0.012), "marble": (0.1, 0.3)}
    low, high = scales.get(texture, (0.03, 0.1))
    return Surface(colour, _near(rng, colour, 0.6, 0.9), texture, rng.uniform(low, high), gloss)


def wall_surface(rng: Rng) -> Surface:
    """Return a look for a wall."""
    colour = _tint(rng, 0.45, 0.3, 0.95)
    texture = one_of(
        rng, ["plain", "noise", "noise", "stripes", "bricks", "tiles", "checker", "planks", "dots"]
    )
    scales = {"bricks": (0.07, 0.1), "tiles": (0.1, 0.25), "planks": (0.1, 0.2)}
    low, high = scales.get(texture, (0.08, 0.35))
    return Surface(
        colour, _near(rng, colour, 0.7, 0.95), texture, rng.uniform(low, high), rng.uniform(0, 0.2)
    )


def floor_surface(rng: Rng) -> Surface:
    """Return a look for a floor."""
    if rng.random() < 0.5:
        wood = _near(rng, WOODS[int(rng.integers(len(WOODS)))], 0.7, 1.1)
        return Surface(wood, darker(wood, 0.7), "planks", rng.uniform(0.08, 0.16), 0.25)
    colour = _tint(rng, 0.35, 0.2, 0.85)
    texture = one_of(rng, ["tiles", "checker", "noise", "cloth"])
    scale = rng.uniform(0.02, 0.04) if texture == "cloth" else rng.uniform(0.15, 0.45)
    return Surface(colour, _near(rng, colour, 0.6, 0.85), texture, scale, rng.uniform(0, 0.35))


def picture_surface(rng: Rng) -> Surface:
    """Return a look for a poster or a screen."""
    colour = _tint(rng, 0.9, 0.2, 1.0)
    texture = one_of(rng, ["marble", "noise", "stripes", "checker", "dots", "plain"])
    return Surface(colour, _tint(rng, 0.9, 0.1, 1.0), texture, rng.uniform(0.05, 0.2), 0.1)


def cloth_surface(rng: Rng) -> Surface:
    """Return a look for a rug."""
    colour = _tint(rng, 0.7, 0.2, 0.85)
    texture = one_of(rng, ["cloth", "stripes", "checker", "noise"])
    scale = rng.uniform(0.006, 0.012) if texture == "cloth" else rng.uniform(0.05, 0.15)
    return Surface(colour, _near(rng, colour, 0.6, 0.9), texture, scale, 0.0)


def plain(colour: Rgb, gloss: float = 0.2) -> Surface:
    """Return a surface without pattern."""
    return Surface(colour, colour, gloss=gloss)


def random_lighting(rng: Rng, facing: bool = False) -> Lighting:
    """Return a key light from above, fill light and ambient light, varied in power and warmth.

    Args:
        rng: where all choices come from.
        facing: whether the key light comes from the side of negative y, where there is no wall.
    """
    azimuth, height = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(32, 78))
    if facing:
        azimuth = -np.pi / 2 + (azimuth - np.pi) / 3
    strength = rng.uniform(0.6, 1.4)
    warm = rng.uniform(-1, 1)  # -1 bluish daylight .. 1 lamp light
    tint = np.array([1 + 0.14 * warm, 1.0, 1 - 0.2 * warm])
    share = rng.uniform(0.4, 0.75)  # of the light that comes from the key light
    key = 1.4 * strength * share * tint / np.sin(height) ** 0.5
    fill_azimuth = azimuth + rng.uniform(1.5, 4.8)
    cool = np.array([1 - 0.06 * warm, 1.0, 1 + 0.1 * warm])
    ambient = 1.3 * strength * (1 - share) * cool
    return Lighting(
        key_dir=_direction(azimuth, height),
        key_rgb=key,
        key_radius=rng.uniform(0.03, 0.16),
        fill_dir=_direction(fill_azimuth, np.radians(rng.uniform(15, 50))),
        fill_rgb=0.28 * strength * (1 - 0.5 * share) * cool,
        sky_rgb=ambient,
        ground_rgb=ambient * rng.uniform(0.3, 0.6) * np.array([1.05, 1.0, 0.92]),
    )


def _direction(azimuth: float, height: float) -> FloatArray:
    return np.array(
        [np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)]
    )


def floor_prop(rng: Rng, centre: Sequence[float], z_m: float) -> Prop:
    """Return a large floor at height `z_m`."""
    yaw = rng.uniform(0, np.pi)
    place = pose(rotation("z", yaw), np.array([centre[0], centre[1], z_m]))
    return Prop(box((16, 16, 0.02), (0, 0, -0.02)), floor_surface(rng), place)


def wall_prop(
    rng: Rng, foot: FloatArray, facing_rad: float, surface: Surface | None = None
) -> Prop:
    """Return a wall through `foot` (3,), whose visible side faces the azimuth `facing_rad`."""
    # the texture lives in the wall's x (along) and z (up): the slab is thin in y
    turn = rotation("z", facing_rad + np.pi / 2)
    surface = surface or wall_surface(rng)
    return Prop(box((18, 0.05, 7), (0, 0.025, -1)), surface, pose(turn, foot))


def wall_pictures(
    rng: Rng, foot: FloatArray, facing_rad: float, z_range: tuple[float, float]
) -> list[Prop]:
    """Return a few framed pictures, posters or cupboards on a wall (see `wall_prop`)."""
    turn = rotation("z", facing_rad + np.pi / 2)
    props = []
    for _ in range(int(rng.integers(0, 4))):
        width, height = rng.uniform(0.2, 0.7), rng.uniform(0.2, 0.6)
        offset = turn @ np.array([rng.uniform(-1.3, 1.3), 0, 0])
        at = foot + offset + np.array([0, 0, rng.uniform(*z_range)])
        depth = 0.02 if rng.random() < 0.7 else rng.uniform(0.1, 0.3)
        frame = Surface(_tint(rng, 0.5, 0.05, 0.9), gloss=0.2)
        picture = picture_surface(rng)
        place = pose(turn, at)
        props.append(Prop(box((width, 2 * depth, height)), frame, place))
        inner = (width * 0.86, 2 * depth + 0.008, height * 0.86)
        props.append(Prop(box(inner, (0, 0, 0.07 * height)), picture, place))
    return props


def table_props(
    rng: Rng, half_x: float, half_y: float, round_top: bool, height_m: float
) -> list[Prop]:
    """Return a table around the origin whose top lies at `height_m`."""
    look = table_surface(rng)
    thickness = rng.uniform(0.02, 0.05)
    place = pose(rotation("z", 0.0), np.array([0, 0, height_m - thickness]))
    if round_top:
        angle = np.arange(40) * 2 * np.pi / 40
        outline = np.stack([half_x * np.cos(angle), half_y * np.sin(angle)], axis=1)
        top: Mesh = extrude(outline, thickness)
    else:
        top = box((2 * half_x, 2 * half_y, thickness))
    props = [Prop(top, look, place, is_surface=True)]
    leg_look = look if rng.random() < 0.5 else Surface(_tint(rng, 0.3, 0.05, 0.8), gloss=0.3)
    if round_top:
        legs = [
            lathe([(0, 0), (0.05, 0), (0.05, height_m - thickness), (0, height_m - thickness)], 14)
        ]
    else:
        spots = [
            (x, y, 0)
            for x in (-half_x + 0.05, half_x - 0.05)
            for y in (-half_y + 0.05, half_y - 0.05)
        ]
        legs = [box((0.05, 0.05, height_m - thickness), spot) for spot in spots]
    return props + [Prop(leg, leg_look) for leg in legs]


def floor_clutter(rng: Rng, heading_rad: float, low_m: float, high_m: float) -> list[Prop]:
    """Return boxes, drums and cupboards on the floor, between two distances from the origin.

    They stand around the azimuth `heading_rad`, which is where the camera looks.
    """
    props = []
    for _ in range(int(rng.integers(0, 6))):
        angle = heading_rad + rng.uniform(-0.9, 0.9)
        distance = rng.uniform(low_m, high_m)
        at = np.array([distance * np.cos(angle), distance * np.sin(angle), 0.0])
        height = rng.uniform(0.2, 1.3)
        if rng.random() < 0.7:
            mesh: Mesh = box((rng.uniform(0.15, 0.6), rng.uniform(0.15, 0.5), height))
        else:
            r = rng.uniform(0.08, 0.25)
            mesh = lathe([(0, 0), (r, 0), (r, height), (0, height)], 18)
        look = wall_surface(rng) if rng.random() < 0.5 else table_surface(rng)
        props.append(Prop(mesh, look, pose(rotation("z", rng.uniform(0, np.pi)), at)))
    return props
