"""Hand tools."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import (
    Mesh,
    box,
    extrude,
    join,
    lathe,
    rod,
    rotation,
    rounded_box,
    sweep,
    torus,
)
from robo_refer_data.assets.palette import VIVID, Surface, shade_of, surface_of
from robo_refer_data.assets.spec import Part, Shape, asset

Rng = np.random.Generator
STEEL = Surface((0.66, 0.67, 0.69), gloss=0.65, metal=1.0)
DARK = Surface((0.09, 0.09, 0.1), gloss=0.25)


@asset("hammer", ("brown", "brown", "red", "yellow", "orange", "blue", "green"), ("metal",))
def hammer(rng: Rng, colour: str, material: str) -> Shape:
    """A claw hammer lying on its side; the colour is that of its handle, the front its head."""
    length = rng.uniform(0.23, 0.3)
    x = np.linspace(-0.5, 0.5, 5) * length
    path = np.stack([x, 0 * x, np.full(5, 0.014)], axis=1)
    grip = sweep(path, [0.0145, 0.0135, 0.0115, 0.0105, 0.011], 10, flatten=0.85)
    end = 0.5 * length
    head = rod((end, -0.03, 0.014), (end, 0.032, 0.014), 0.0135, 12)
    face = rod((end, 0.03, 0.014), (end, 0.05, 0.014), 0.017, 12)
    claw_path = np.array(
        [[end, -0.025, 0.014], [end - 0.004, -0.05, 0.014], [end - 0.018, -0.075, 0.014]]
    )
    claw = sweep(claw_path, [0.012, 0.010, 0.004], 8, flatten=0.9)
    handle = surface_of(rng, colour, "wood" if colour == "brown" else "rubber")
    return Shape([Part(grip, handle), Part(join([head, face, claw]), STEEL)], front=(1.0, 0.0, 0.0))


@asset("screwdriver", (*VIVID, "black"), ("plastic",), stick=True, slab=True)
def screwdriver(rng: Rng, colour: str, material: str) -> Shape:
    """A fluted handle and a steel shaft, lying; its front is the tip."""
    length, r = rng.uniform(0.17, 0.23), rng.uniform(0.0145, 0.018)
    z = np.array([0, 0.02, 0.08, 0.2, 0.36, 0.42, 0.46, 0.46]) * length
    radial = np.array([0, 0.7, 1.0, 1.0, 0.92, 0.62, 0.66, 0]) * r
    lie = rotation("y", np.pi / 2)
    handle = lathe(np.stack([radial, z - 0.5 * length], axis=1), 12).turned(lie)
    shaft = rod((-0.05 * length, 0, 0), (0.5 * length, 0, 0), 0.004, 8)
    tip = box((0.012, 0.008, 0.003), (0.5 * length - 0.004, 0, -0.0015))
    shade = shade_of(rng, colour)
    look = Surface(shade, (0.1, 0.1, 0.1), "band", 0.0012, 0.45)
    return Shape([Part(handle, look), Part(join([shaft, tip]), STEEL)], front=(1.0, 0.0, 0.0))


@asset("drill", ("orange", "yellow", "red", "blue", "green", "black"), ("plastic",), weight=1.3,
       poses={"upright": 0.45, "side": 0.55})  # fmt: skip
def drill(rng: Rng, colour: str, material: str) -> Shape:
    """A cordless drill: body, chuck, pistol grip, battery; its front is the chuck."""
    s = rng.uniform(0.9, 1.1)
    look = surface_of(rng, colour, material)
    along = rotation("y", np.pi / 2)
    profile = np.array(
        [[0, -0.075], [0.02, -0.073], [0.0265, -0.05], [0.0275, 0.03], [0.024, 0.055], [0, 0.056]]
    )
    body = lathe(profile, 18).turned(along).moved((0, 0, 0.165))
    chuck_profile = np.array(
        [[0.018, 0.05], [0.0205, 0.07], [0.019, 0.092], [0.009, 0.108], [0, 0.108]]
    )
    chuck = lathe(chuck_profile, 16).turned(along).moved((0, 0, 0.165))
    bit = rod((0.1, 0, 0.165), (0.145, 0, 0.165), 0.0035, 7)
    grip_path = np.array(
        [[-0.03, 0, 0.16], [-0.036, 0, 0.11], [-0.044, 0, 0.07], [-0.045, 0, 0.03]]
    )
    grip = sweep(grip_path, [0.022, 0.0195, 0.019, 0.022], 12, flatten=0.82)
    trigger = box((0.014, 0.014, 0.032), (-0.012, 0, 0.105))
    battery = rounded_box((0.1, 0.058, 0.036), 0.01, 0.004).moved((-0.03, 0, 0))
    stripe = rounded_box((0.104, 0.06, 0.012), 0.01, 0.002).moved((-0.03, 0, 0.036))
    coloured = join([body, stripe]).scaled((s, s, s))
    dark = join([chuck, grip, trigger, battery]).scaled((s, s, s))
    second = DARK if colour != "black" else Surface((0.35, 0.35, 0.37), gloss=0.3)
    parts = [Part(coloured, look), Part(dark, second), Part(bit.scaled((s, s, s)), STEEL)]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset("scissors", ("red", "blue", "black", "orange", "green", "purple", "pink"), ("plastic",))
def scissors(rng: Rng, colour: str, material: str) -> Shape:
    """A pair of slightly open scissors, lying; the colour is that of the grips."""
    opening = rng.uniform(0.1, 0.24)
    length = rng.uniform(0.085, 0.11)
    blades, grips = [], []
    outline = np.array([[0, -0.009], [0.85, -0.006], [1.0, 0.0], [0.85, 0.004], [0, 0.007]])
    for side in (-1.0, 1.0):
        turn = rotation("z", side * opening)
        shape = outline * [length, 1.0] * [1.0, side]
        shape = shape if side > 0 else shape[::-1]
        middle = np.array([0.5 * length, 0.0])
        blade = extrude(shape - middle, 0.003).moved((middle[0], 0, 0.006 + 0.0016 * side))
        blades.append(blade.turned(turn))
        arm = rod((0.005, 0, 0.007), (-0.03, -0.004 * side, 0.007), 0.0065, 8)
        loop = (
            torus(0.019, 0.0062, 16, 8)
            .scaled((1.35, 1.0, 1.0))
            .moved((-0.054, -0.012 * side, 0.007))
        )
        grips.append(join([arm, loop]).turned(turn))
    pin = rod((0, 0, 0.003), (0, 0, 0.0125), 0.005, 8)
    look = surface_of(rng, colour, material)
    parts = [Part(join([*blades, pin]), STEEL), Part(join(grips), look)]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset("tape", (*VIVID, "grey", "brown", "white", "black"), ("plastic",), round=True, small=True,
       poses={"upright": 0.75, "side": 0.25})  # fmt: skip
def tape(rng: Rng, colour: str, material: str) -> Shape:
    """A roll of tape around a cardboard core."""
    outer, hole, height = (
        rng.uniform(0.042, 0.055),
        rng.uniform(0.024, 0.03),
        rng.uniform(0.022, 0.045),
    )
    roll = lathe([(hole, 0), (outer, 0), (outer, height), (hole, height)], 28)
    core = lathe([(hole, height), (hole, 0)], 28)
    edge: Mesh = lathe([(hole - 0.002, height), (hole - 0.002, 0)], 28)
    card = Surface((0.68, 0.55, 0.38), gloss=0.02)
    return Shape([Part(roll, surface_of(rng, colour, material)), Part(join([core, edge]), card)])
