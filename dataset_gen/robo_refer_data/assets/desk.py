"""Things on a desk: books, pens, electronics."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import box, ellipsoid, join, lathe, rod, rotation, rounded_box
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
SCREEN = Surface((0.03, 0.035, 0.05), gloss=0.8)
GADGETS = ("black", "black", "grey", "white", "blue", "red", "pink")


@asset("book", PAINT, ("paper",), weight=1.6, slab=True)
def book(rng: Rng, colour: str, material: str) -> Shape:
    """A closed book lying flat: coloured covers and spine around pale pages."""
    width, depth, height = (
        rng.uniform(0.19, 0.25),
        rng.uniform(0.13, 0.17),
        rng.uniform(0.018, 0.04),
    )
    shade = shade_of(rng, colour)
    cover = Surface(shade, darker(shade, 0.85), "noise", 0.04, 0.2)
    pages = box((width - 0.01, depth - 0.008, height - 0.005), (0, 0.002, 0.0025))
    shell = [box((width, depth, 0.0027)), box((width, depth, 0.0027), (0, 0, height - 0.0027))]
    shell.append(box((width, 0.003, height), (0, -depth / 2 + 0.0015, 0)))
    paper = Surface((0.9, 0.87, 0.78), (0.72, 0.68, 0.58), "band", 0.0008, 0.0)
    second = (0.92, 0.9, 0.82) if sum(shade) < 2.0 else (0.25, 0.25, 0.3)
    bars = []
    for row in range(int(rng.integers(1, 4))):
        size = (rng.uniform(0.3, 0.6) * width, 0.013, 0.0005)
        bars.append(box(size, (0, 0.3 * depth - 0.03 * row, height)))
    parts = [Part(join(shell), cover), Part(pages, paper), Part(join(bars), Surface(second))]
    return Shape(parts, flat_top_m=(width, depth))


@asset("pen", (*VIVID, "black", "white"), ("plastic",), weight=1.0, stick=True, slab=True)
def pen(rng: Rng, colour: str, material: str) -> Shape:
    """A marker pen with a cap, lying; its front is the tip."""
    length, r = rng.uniform(0.13, 0.15), rng.uniform(0.0075, 0.0095)
    lie = rotation("y", np.pi / 2)
    barrel = lathe(
        [(0, -0.5 * length), (0.9 * r, -0.5 * length), (0.9 * r, 0.16 * length)], 12
    ).turned(lie)
    cap = lathe(
        [(r, 0.14 * length), (r, 0.42 * length), (0.6 * r, 0.5 * length), (0, 0.5 * length)], 12
    ).turned(lie)
    clip = box((0.3 * length, 0.004, 0.002), (0.28 * length, 0, r))
    look = surface_of(rng, colour, material)
    other = look if rng.random() < 0.6 else Surface((0.88, 0.88, 0.87), gloss=0.4)
    return Shape(
        [Part(barrel, other if colour != "white" else look), Part(join([cap, clip]), look)],
        front=(1.0, 0.0, 0.0),
    )


@asset("phone", GADGETS, ("plastic",), slab=True, poses={"upright": 0.4, "flip": 0.6})
def phone(rng: Rng, colour: str, material: str) -> Shape:
    """A phone; its front is the screen, which faces up when upright."""
    width, depth, height = (
        rng.uniform(0.14, 0.165),
        rng.uniform(0.07, 0.08),
        rng.uniform(0.008, 0.011),
    )
    body = rounded_box((width, depth, height), 0.011, 0.002)
    screen = rounded_box((width - 0.008, depth - 0.007, 0.0006), 0.009).moved((0, 0, height))
    lens = rounded_box((0.028, 0.028, 0.0015), 0.008).moved(
        (0.5 * width - 0.022, 0.5 * depth - 0.02, -0.0015)
    )
    parts = [Part(body, surface_of(rng, colour, material)), Part(join([screen, lens]), SCREEN)]
    if rng.random() < 0.5:
        icons = box((0.68 * width, 0.75 * depth, 0.0004), (-0.05 * width, 0, height + 0.0006))
        tint = shade_of(rng, one_of(rng, ["blue", "purple", "green", "pink"]))
        parts.append(Part(icons, Surface(darker(tint, 0.35), tint, "keys", 0.02, 0.8)))
    return Shape(parts, front=(0.0, 0.0, 1.0))


@asset("laptop", ("grey", "black", "white", "blue", "pink"), ("metal",), weight=0.7)
def laptop(rng: Rng, colour: str, material: str) -> Shape:
    """An open laptop; its front is the way the screen faces."""
    width, depth = rng.uniform(0.29, 0.33), rng.uniform(0.2, 0.23)
    shade = shade_of(rng, colour)
    case = Surface(shade, gloss=0.35)
    base = rounded_box((width, depth, 0.016), 0.012, 0.002)
    keys = box((0.86 * width, 0.45 * depth, 0.0008), (0, 0.16 * depth, 0.016))
    pad = box((0.3 * width, 0.26 * depth, 0.0008), (0, -0.28 * depth, 0.016))
    tilt = rotation("x", -rng.uniform(0.15, 0.45))
    height = 0.9 * depth
    hinge = (0, 0.5 * depth - 0.004, 0.014)
    lid = box((width, 0.007, height), (0, 0.0035, 0)).turned(tilt).moved(hinge)
    glass = (
        box((0.93 * width, 0.0008, 0.88 * height), (0, -0.0006, 0.06 * height))
        .turned(tilt)
        .moved(hinge)
    )
    tint = shade_of(rng, one_of(rng, ["blue", "purple", "green", "grey", "blue"]))
    picture = Surface(darker(tint, 0.7), (0.85, 0.88, 0.92), "marble", 0.12, 0.5)
    dark = (0.1, 0.1, 0.11) if colour != "black" else (0.32, 0.32, 0.34)
    parts = [
        Part(join([base, lid]), case),
        Part(glass, picture),
        Part(keys, Surface(darker(shade, 0.6), dark, "keys", 0.019, 0.2)),
    ]
    parts.append(Part(pad, Surface(darker(shade, 0.85), gloss=0.4)))
    return Shape(parts, front=(0.0, -1.0, 0.0))


@asset("keyboard", ("black", "white", "grey", "blue", "pink"), ("plastic",), weight=0.8)
def keyboard(rng: Rng, colour: str, material: str) -> Shape:
    """A computer keyboard; its front is the typist's side."""
    width, depth = rng.uniform(0.29, 0.42), rng.uniform(0.115, 0.14)
    shade = shade_of(rng, colour)
    body = rounded_box((width, depth, 0.016), 0.01, 0.003)
    bright = sum(shade) > 1.5
    tone = darker(shade, 0.7) if bright else (0.3, 0.3, 0.32)
    parts = [Part(body, Surface(darker(shade, 0.72) if bright else shade, gloss=0.3))]
    key = shade if bright else (0.17, 0.17, 0.18)
    rows, gap = 4, 0.019
    for row in range(rows):
        size = (0.93 * width, 0.0155, 0.006)
        bar = box(size, (0, (row - 1.5) * gap, 0.0155))
        parts.append(Part(bar, Surface(tone, key, "keys", 0.019, 0.3)))
    return Shape(parts, front=(0.0, -1.0, 0.0))


@asset("remote", ("black", "black", "grey", "white"), ("plastic",), slab=True)
def remote(rng: Rng, colour: str, material: str) -> Shape:
    """A remote control with rows of buttons, lying; its front is the sending end."""
    width, depth, height = (
        rng.uniform(0.15, 0.19),
        rng.uniform(0.042, 0.05),
        rng.uniform(0.017, 0.022),
    )
    look = surface_of(rng, colour, material)
    body = rounded_box((width, depth, height), 0.012, 0.005)
    pale = (0.75, 0.75, 0.75) if colour == "black" else (0.15, 0.15, 0.17)
    buttons, bright = [], []
    for row in range(5):
        for column in (-1, 0, 1):
            spot = (-0.4 * width + 0.14 * width * row, 0.0125 * column, height - 0.001)
            buttons.append(box((0.009, 0.008, 0.003), spot))
    bright.append(
        rod((0.38 * width, 0, height - 0.002), (0.38 * width, 0, height + 0.003), 0.007, 10)
    )
    parts = [
        Part(body, look),
        Part(join(buttons), Surface(pale, gloss=0.2)),
        Part(join(bright), Surface((0.8, 0.1, 0.1))),
    ]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset("clock", (*VIVID, "black", "white", "brown"), ("plastic",))
def clock(rng: Rng, colour: str, material: str) -> Shape:
    """A round alarm clock on two feet, with bells; its front is the dial."""
    r, depth = rng.uniform(0.045, 0.06), rng.uniform(0.035, 0.045)
    turn = rotation("x", np.pi / 2)  # lathe axis z to -y: the dial faces -y
    case = lathe(
        [
            (0, -0.5 * depth),
            (0.92 * r, -0.5 * depth),
            (r, -0.4 * depth),
            (r, 0.5 * depth),
            (0.9 * r, 0.5 * depth),
            (0.9 * r, 0.42 * depth),
        ],
        26,
    )
    dial = lathe([(0.92 * r, 0.42 * depth), (0, 0.42 * depth)], 26).turned(turn)
    front = -0.43 * depth
    up = r + 0.012
    hour, minute = rng.uniform(0, 2 * np.pi, 2)
    hands = [rod((0, front, 0), (0.5 * r * np.sin(hour), front, 0.5 * r * np.cos(hour)), 0.0028, 6)]
    hands.append(
        rod((0, front, 0), (0.76 * r * np.sin(minute), front, 0.76 * r * np.cos(minute)), 0.0018, 6)
    )
    for k in range(12):
        c, s = np.cos(k * np.pi / 6), np.sin(k * np.pi / 6)
        hands.append(
            rod((0.76 * r * s, front, 0.76 * r * c), (0.84 * r * s, front, 0.84 * r * c), 0.002, 4)
        )
    bells = [
        ellipsoid((0.021, 0.021, 0.013), 12, 7).moved((x, 0, 1.06 * r))
        for x in (-0.55 * r, 0.55 * r)
    ]
    feet = [rod((x, 0, -0.75 * r), (1.35 * x, 0, -up), 0.005, 7) for x in (-0.5 * r, 0.5 * r)]
    look = surface_of(rng, colour, material)
    face = Surface((0.93, 0.92, 0.88), gloss=0.2)
    parts = [
        Part(join([case.turned(turn), *bells, *feet]), look),
        Part(dial, face),
        Part(join(hands), Surface((0.06, 0.06, 0.06))),
    ]
    return Shape(parts, front=(0.0, -1.0, 0.0))
