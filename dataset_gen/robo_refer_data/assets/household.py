"""Other things about the house."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import (
    Mesh,
    box,
    ellipsoid,
    grid,
    join,
    lathe,
    rod,
    rotation,
    rounded_box,
    sweep,
)
from robo_refer_data.assets.palette import VIVID, Surface, darker, one_of, shade_of, surface_of
from robo_refer_data.assets.spec import Part, Shape, asset

Rng = np.random.Generator


@asset(
    "candle",
    ("white", "red", "yellow", "pink", "blue", "purple", "green", "orange"),
    ("",),
    round=True,
)
def candle(rng: Rng, colour: str, material: str) -> Shape:
    """A pillar candle with a wick and sometimes a flame."""
    r, height = rng.uniform(0.022, 0.034), rng.uniform(0.08, 0.15)
    body = lathe([(0, 0), (r, 0), (r, height), (0.8 * r, height - 0.003), (0, height - 0.006)], 20)
    parts = [Part(body, Surface(shade_of(rng, colour), gloss=0.25))]
    parts.append(
        Part(
            rod((0, 0, height - 0.006), (0.002, 0, height + 0.011), 0.0014, 5),
            Surface((0.05, 0.05, 0.05)),
        )
    )
    if rng.random() < 0.5:
        flame = lathe([(0, 0), (0.006, 0.008), (0.004, 0.02), (0, 0.032)], 9).moved(
            (0.002, 0, height + 0.008)
        )
        parts.append(Part(flame, Surface((1.0, 0.78, 0.25), gloss=0.0)))
    return Shape(parts)


@asset("sponge", ("yellow", "yellow", "blue", "green", "pink", "orange"), ("fabric",), small=True)
def sponge(rng: Rng, colour: str, material: str) -> Shape:
    """A kitchen sponge: porous body, scouring pad below."""
    width, depth, height = (
        rng.uniform(0.09, 0.115),
        rng.uniform(0.06, 0.072),
        rng.uniform(0.024, 0.032),
    )
    shade = shade_of(rng, colour)
    body = rounded_box((width, depth, height), 0.008, 0.004).moved((0, 0, 0.007))
    pad = rounded_box((width, depth, 0.007), 0.008, 0.002)
    pad_colour = (0.10, 0.32, 0.16) if colour != "green" else (0.75, 0.68, 0.2)
    parts = [Part(body, Surface(shade, darker(shade, 0.62), "speckle", 0.0045, 0.0))]
    parts.append(Part(pad, Surface(pad_colour, darker(pad_colour, 0.7), "noise", 0.004, 0.0)))
    return Shape(parts)


@asset("plant", ("green",), ("",), weight=1.1, round=True)
def plant(rng: Rng, colour: str, material: str) -> Shape:
    """A pot with a bush of pointed leaves."""
    r, height = rng.uniform(0.04, 0.055), rng.uniform(0.07, 0.09)
    pot = lathe(
        [
            (0, 0),
            (0.72 * r, 0),
            (0.95 * r, 0.82 * height),
            (1.05 * r, 0.82 * height),
            (1.05 * r, height),
            (0.9 * r, height),
            (0.86 * r, 0.88 * height),
        ],
        20,
    )
    soil = lathe([(0.87 * r, 0.9 * height), (0, 0.92 * height)], 14)
    pot_word = one_of(rng, ["orange", "white", "brown", "grey", "black"])
    shade = shade_of(rng, pot_word)
    clay = Surface((0.68, 0.36, 0.22) if pot_word == "orange" else shade, gloss=0.15)
    leaves = []
    count = int(rng.integers(11, 17))
    for k in range(count):
        leaves.append(_leaf(rng, 2 * np.pi * k / count + rng.uniform(-0.2, 0.2), height))
    green = shade_of(rng, "green")
    leaf = Surface(
        (0.8 * green[0], 0.9 * green[1], 0.8 * green[2]), darker(green, 0.55), "noise", 0.02, 0.3
    )
    earth = Surface((0.16, 0.10, 0.06), (0.08, 0.05, 0.03), "noise", 0.004, 0.0)
    return Shape([Part(join(leaves), leaf), Part(pot, clay), Part(soil, earth)])


def _leaf(rng: Rng, heading: float, start: float) -> Mesh:
    """Return one arching leaf that grows from the pot's middle."""
    length, rise = rng.uniform(0.07, 0.115), rng.uniform(0.35, 1.25)
    t = np.linspace(0, 1, 5)
    out = length * t * np.cos(rise) * (1 + 0.3 * t)
    up = length * (t * np.sin(rise) - 0.35 * t**2.5) + start
    wide = np.array([0.004, 0.015, 0.018, 0.012, 0.0]) * rng.uniform(0.8, 1.2)
    rows = np.stack(
        [
            np.stack([out, side * wide, up - 0.12 * np.abs(side) * wide], axis=1)
            for side in (-1, 0, 1)
        ],
        axis=1,
    )
    return grid(rows, wrap=False).turned(rotation("z", heading))


@asset("lamp", (*VIVID, "white", "black", "grey"), ("metal",), weight=0.8)
def lamp(rng: Rng, colour: str, material: str) -> Shape:
    """A desk lamp with a bent arm and a conical shade; its front is the way the shade points."""
    height, reach = rng.uniform(0.24, 0.32), rng.uniform(0.09, 0.13)
    base = lathe([(0, 0), (0.06, 0), (0.06, 0.01), (0.015, 0.018), (0, 0.018)], 24)
    elbow = np.array([-0.06, 0, 0.6 * height])
    top = np.array([0.3 * reach, 0, height])
    arm = [
        rod((0, 0, 0.015), elbow, 0.006, 8),
        rod(elbow, top, 0.006, 8),
        ellipsoid((0.011,) * 3, 8, 6).moved(elbow),
    ]
    tilt = rotation("y", -0.6)
    cone = (
        lathe([(0.05, -0.055), (0.02, 0.02), (0.012, 0.028), (0, 0.028)], 20)
        .turned(tilt)
        .moved(top + np.array([0.012, 0, -0.008]))
    )
    bulb = (
        ellipsoid((0.02, 0.02, 0.022), 10, 7).turned(tilt).moved(top + np.array([0.03, 0, -0.035]))
    )
    look = surface_of(rng, colour, material)
    glow = Surface((1.0, 0.96, 0.82), gloss=0.2)
    return Shape([Part(join([base, *arm, cone]), look), Part(bulb, glow)], front=(1.0, 0.0, 0.0))


@asset("shelf", ("brown", "brown", "white", "black", "grey"), ("wood",), weight=0.6)
def shelf(rng: Rng, colour: str, material: str) -> Shape:
    """A low bench, as put under monitors: a board on two sides, with room below."""
    width, depth, height = rng.uniform(0.3, 0.42), rng.uniform(0.15, 0.2), rng.uniform(0.13, 0.18)
    look = surface_of(rng, colour, material)
    board, side = 0.016, 0.016
    meshes = [box((width, depth, board), (0, 0, height - board))]
    meshes += [
        box((side, depth, height - board), (x, 0, 0))
        for x in (-0.5 * width + 0.03, 0.5 * width - 0.03)
    ]
    room = (width - 0.06 - 2 * side, depth, height - board)
    return Shape([Part(join(meshes), look)], flat_top_m=(width, depth), shelter_m=room)


@asset("brush", (*VIVID, "brown", "white", "black"), ("plastic", "wood"), weight=0.7)
def brush(rng: Rng, colour: str, material: str) -> Shape:
    """A dish brush lying on its bristles; its front is the head."""
    length = rng.uniform(0.2, 0.25)
    look = surface_of(rng, colour, material)
    head_at = 0.5 * length - 0.03
    head = rounded_box((0.07, 0.045, 0.014), 0.02, 0.004).moved((head_at, 0, 0.026))
    bristles = rounded_box((0.06, 0.036, 0.028), 0.016).moved((head_at, 0, 0))
    x = np.linspace(-0.5 * length, head_at - 0.02, 5)
    path = np.stack([x, 0 * x, 0.012 + 0.02 * np.linspace(0, 1, 5)], axis=1)
    handle = sweep(path, [0.0105, 0.0115, 0.0095, 0.008, 0.009], 9, flatten=0.8)
    hair = Surface((0.88, 0.86, 0.78), (0.62, 0.6, 0.52), "stripes", 0.003, 0.0)
    return Shape([Part(join([head, handle]), look), Part(bristles, hair)], front=(1.0, 0.0, 0.0))
