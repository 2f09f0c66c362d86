"""Toys."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import ellipsoid, join, rod, rounded_box, sweep
from robo_refer_data.assets.palette import (
    PAINT,
    VIVID,
    Surface,
    darker,
    one_of,
    shade_of,
    surface_of,
)
from robo_refer_data.assets.spec import Part, Shape, asset

Rng = np.random.Generator
BLACK = Surface((0.04, 0.04, 0.04), gloss=0.5)


@asset(
    "ball",
    (*VIVID, "white", "grey", "black"),
    ("rubber", "plastic"),
    weight=1.3,
    round=True,
    small=True,
)
def ball(rng: Rng, colour: str, material: str) -> Shape:
    """A ball, plain or with a pattern in a second shade."""
    r = rng.uniform(0.028, 0.05)
    shade = shade_of(rng, colour)
    pale = (0.93, 0.93, 0.9) if colour != "white" else (0.3, 0.35, 0.5)
    texture = one_of(rng, ["plain", "band", "dots", "plain"])
    scale = {"band": 0.16 * r, "dots": 0.03}.get(texture, 0.02)
    look = Surface(shade, pale, texture, scale, 0.15 if material == "rubber" else 0.5)
    return Shape([Part(ellipsoid((r, r, r), 22, 15), look)])


@asset("block", PAINT, ("wood", "plastic"), weight=1.3, small=True)
def block(rng: Rng, colour: str, material: str) -> Shape:
    """A toy cube with rounded edges; things can be stacked on it."""
    side = rng.uniform(0.038, 0.055)
    body = rounded_box((side, side, side), 0.004, 0.0035)
    return Shape([Part(body, surface_of(rng, colour, material))], flat_top_m=(side, side))


@asset("toy car", (*VIVID, "white", "black"), ("plastic", "metal"), weight=1.2)
def toy_car(rng: Rng, colour: str, material: str) -> Shape:
    """A toy car with a cabin, windows and four wheels; its front is the bonnet."""
    length = rng.uniform(0.1, 0.14)
    width, wheel = 0.48 * length, 0.125 * length
    look = Surface(shade_of(rng, colour), gloss=0.6)
    lower = rounded_box((length, width, 0.2 * length), 0.07 * length, 0.04 * length).moved(
        (0, 0, 0.09 * length)
    )
    cabin = rounded_box((0.5 * length, 0.86 * width, 0.17 * length), 0.06 * length, 0.05 * length)
    roof = rounded_box((0.46 * length, 0.8 * width, 0.03 * length), 0.06 * length, 0.012 * length)
    cabin_at = (-0.07 * length, 0, 0.28 * length)
    wheels, hubs = [], []
    for x in (-0.3 * length, 0.3 * length):
        for y in (-0.5, 0.5):
            inner, outer = (y * width * 0.8, y * width * 1.08)
            wheels.append(rod((x, inner, wheel), (x, outer, wheel), wheel, 14))
            hubs.append(rod((x, outer, wheel), (x, outer * 1.03, wheel), 0.5 * wheel, 10))
    lamps = [
        ellipsoid((0.02 * length,) * 3, 8, 6).moved((0.49 * length, y, 0.2 * length))
        for y in (-0.16 * length, 0.16 * length)
    ]
    glass = Surface((0.1, 0.13, 0.17), gloss=0.9)
    silver = Surface((0.8, 0.8, 0.78), gloss=0.6)
    parts = [
        Part(join([lower, roof.moved((cabin_at[0], 0, 0.44 * length))]), look),
        Part(cabin.moved(cabin_at), glass),
        Part(join(wheels), Surface((0.05, 0.05, 0.055), gloss=0.1)),
        Part(join([*hubs, *lamps]), silver),
    ]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset(
    "duck",
    ("yellow", "yellow", "yellow", "pink", "blue", "green", "white"),
    ("rubber",),
    weight=1.2,
    small=True,
)
def duck(rng: Rng, colour: str, material: str) -> Shape:
    """A bath duck; its front is the beak."""
    s = rng.uniform(0.85, 1.15)
    look = Surface(shade_of(rng, colour), gloss=0.4)
    body = ellipsoid((0.044, 0.032, 0.027), 18, 11).moved((0, 0, 0.027))
    tail = sweep(
        np.array([[-0.028, 0, 0.034], [-0.042, 0, 0.044], [-0.052, 0, 0.058]]),
        [0.018, 0.012, 0.003],
        9,
    )
    head = ellipsoid((0.0235, 0.0225, 0.0225), 16, 10).moved((0.023, 0, 0.066))
    wings = [
        ellipsoid((0.022, 0.006, 0.012), 10, 7).moved((-0.008, y, 0.033)) for y in (-0.03, 0.03)
    ]
    beak = ellipsoid((0.014, 0.012, 0.0045), 10, 6).moved((0.048, 0, 0.062))
    eyes = [ellipsoid((0.004,) * 3, 8, 6).moved((0.038, y, 0.073)) for y in (-0.0135, 0.0135)]
    scale = (s, s, s)
    beak_colour = (0.95, 0.42, 0.06) if colour != "pink" else (0.95, 0.7, 0.1)
    parts = [
        Part(join([body, tail, head, *wings]).scaled(scale), look),
        Part(beak.scaled(scale), Surface(beak_colour, gloss=0.4)),
        Part(join(eyes).scaled(scale), BLACK),
    ]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset(
    "toy elephant",
    ("grey", "grey", "grey", "blue", "pink", "brown", "purple"),
    ("rubber",),
    weight=1.2,
    poses={"upright": 0.75, "side": 0.25},
)
def toy_elephant(rng: Rng, colour: str, material: str) -> Shape:
    """An elephant with ears, trunk and tusks; its front is the trunk."""
    s = rng.uniform(0.85, 1.25)
    shade = shade_of(rng, colour)
    look = Surface(shade, darker(shade, 0.8), "noise", 0.012, 0.15)
    body = ellipsoid((0.052, 0.033, 0.034), 18, 11).moved((0, 0, 0.064))
    head = ellipsoid((0.026, 0.024, 0.027), 14, 9).moved((0.056, 0, 0.08))
    legs = [
        rod((x, y, 0), (x, y, 0.06), 0.0125, 10) for x in (-0.03, 0.03) for y in (-0.017, 0.017)
    ]
    trunk_path = np.array(
        [[0.074, 0, 0.076], [0.09, 0, 0.06], [0.095, 0, 0.04], [0.1, 0, 0.026], [0.112, 0, 0.022]]
    )
    trunk = sweep(trunk_path, [0.0125, 0.0105, 0.0085, 0.007, 0.006], 9)
    ears = [
        ellipsoid((0.008, 0.02, 0.025), 10, 8).moved((0.044, y, 0.084)) for y in (-0.034, 0.034)
    ]
    tail = rod((-0.05, 0, 0.07), (-0.062, 0, 0.045), 0.003, 6)
    tusks = [rod((0.074, y, 0.066), (0.098, y * 1.2, 0.064), 0.0035, 6) for y in (-0.013, 0.013)]
    eyes = [ellipsoid((0.0032,) * 3, 6, 5).moved((0.076, y, 0.088)) for y in (-0.015, 0.015)]
    scale = (s, s, s)
    parts = [
        Part(join([body, head, *legs, trunk, *ears, tail]).scaled(scale), look),
        Part(join(tusks).scaled(scale), Surface((0.92, 0.9, 0.8))),
        Part(join(eyes).scaled(scale), BLACK),
    ]
    return Shape(parts, front=(1.0, 0.0, 0.0))
