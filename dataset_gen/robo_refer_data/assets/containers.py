"""Bottles, cans, boxes, baskets: things that hold other things."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import (
    Mesh,
    box,
    extrude,
    grid,
    join,
    lathe,
    rounded_rectangle,
    sweep,
)
from robo_refer_data.assets.palette import (
    PAINT,
    VIVID,
    Surface,
    darker,
    one_of,
    shade_of,
    surface_of,
)
from robo_refer_data.assets.spec import Cavity, Part, Shape, asset

Rng = np.random.Generator
STEEL = Surface((0.72, 0.72, 0.73), gloss=0.7, metal=1.0)


def _label(rng: Rng, main: str) -> Surface:
    """Return a printed paper label that contrasts with the main colour."""
    choices = [word for word in ("white", "yellow", "blue", "red", "green") if word != main]
    ground = (
        (0.92, 0.91, 0.87)
        if rng.random() < 0.6 and main != "white"
        else shade_of(rng, one_of(rng, choices))
    )
    return Surface(ground, shade_of(rng, main), "label", 0.022, 0.1)


@asset(
    "bottle",
    (*VIVID, "white", "black", "brown"),
    ("plastic", "plastic", "glass"),
    weight=1.5,
    round=True,
    poses={"upright": 0.7, "side": 0.3},
)
def bottle(rng: Rng, colour: str, material: str) -> Shape:
    """A body with shoulders, a neck and a cap; often with a label."""
    r, height = rng.uniform(0.029, 0.038), rng.uniform(0.17, 0.24)
    neck, shoulder = r * rng.uniform(0.32, 0.42), rng.uniform(0.6, 0.74)
    t = np.linspace(0, 1, 6)
    curve = neck + (r - neck) * 0.5 * (1 + np.cos(np.pi * t))
    lift = height * (shoulder + (0.87 - shoulder) * t)
    body = lathe(
        [(0, 0), (0.9 * r, 0), (r, 0.006), *zip(curve, lift, strict=True), (neck, 0.9 * height)], 22
    )
    cap = lathe([(neck * 1.25, 0.89 * height), (neck * 1.25, height), (0, height)], 16)
    look = surface_of(rng, colour, material)
    cap_word = one_of(rng, ["white", "red", "blue", "black", "grey"])
    parts = [Part(body, look), Part(cap, Surface(shade_of(rng, cap_word), gloss=0.4))]
    if rng.random() < 0.6:
        low, high = 0.2 * height, rng.uniform(0.42, 0.5) * height
        label = lathe([(r + 0.0006, low), (r + 0.0006, high)], 22)
        parts.append(Part(label, _label(rng, colour)))
    return Shape(parts)


@asset("can", (*VIVID, "grey", "white", "black"), ("metal",), weight=1.5, round=True,
       poses={"upright": 0.75, "side": 0.25})  # fmt: skip
def can(rng: Rng, colour: str, material: str) -> Shape:
    """A tin with a printed wall and bare rims."""
    r, height = rng.uniform(0.031, 0.04), rng.uniform(0.09, 0.125)
    shade = shade_of(rng, colour)
    printed = Surface(shade, (0.9, 0.9, 0.88), one_of(rng, ["band", "label", "plain"]), 0.018, 0.5)
    if colour in ("white", "grey"):
        printed = Surface(
            shade, darker(shade, 0.55), printed.texture, 0.018, 0.6, float(colour == "grey")
        )
    wall = lathe([(r, 0.006), (r, height - 0.006)], 24)
    lower = lathe([(0, 0.002), (0.86 * r, 0.002), (0.9 * r, 0), (r, 0.006)], 24)
    rim = lathe(
        [
            (r, height - 0.006),
            (0.93 * r, height),
            (0.89 * r, height),
            (0.87 * r, height - 0.004),
            (0, height - 0.004),
        ],
        24,
    )
    return Shape([Part(wall, printed), Part(join([lower, rim]), STEEL)])


@asset("box", PAINT, ("paper",), weight=1.6, poses={"upright": 0.7, "side": 0.3})
def cardboard_box(rng: Rng, colour: str, material: str) -> Shape:
    """A closed carton (cereal, crackers, tea) with a printed front, which is its front."""
    kind = rng.random()
    if kind < 0.5:
        size = (rng.uniform(0.1, 0.16), rng.uniform(0.04, 0.07), rng.uniform(0.14, 0.22))
    else:
        size = (rng.uniform(0.09, 0.17), rng.uniform(0.07, 0.13), rng.uniform(0.045, 0.09))
    shade = shade_of(rng, colour)
    body = box(size)
    parts = [Part(body, Surface(shade, darker(shade, 0.85), "noise", 0.05, 0.12))]
    if rng.random() < 0.75:
        print_size = (size[0] * rng.uniform(0.45, 0.8), 0.0008, size[2] * rng.uniform(0.3, 0.6))
        lift = rng.uniform(0.1, 0.3) * size[2]
        panel = box(print_size, (0, -size[1] / 2, lift))
        back = box(print_size, (0, size[1] / 2, lift))
        parts.append(Part(join([panel, back]), _label(rng, colour)))
    else:
        tape = join(
            [
                box((size[0] + 0.001, 0.03, 0.0006), (0, 0, size[2])),
                box((0.0006, 0.03, 0.3 * size[2]), (size[0] / 2, 0, 0.7 * size[2])),
            ]
        )
        parts.append(Part(tape, Surface((0.75, 0.65, 0.42), gloss=0.5)))
    return Shape(parts, front=(0.0, -1.0, 0.0), flat_top_m=(size[0], size[1]))


@asset(
    "basket",
    ("brown", "brown", "white", "grey", "blue", "green", "red", "pink", "black"),
    ("plastic",),
    weight=1.0,
)
def basket(rng: Rng, colour: str, material: str) -> Shape:
    """An open basket with slatted walls and often a hoop handle."""
    width, depth, height = rng.uniform(0.19, 0.26), rng.uniform(0.15, 0.19), rng.uniform(0.075, 0.1)
    shade = shade_of(rng, colour)
    weave = Surface(shade, darker(shade, 0.55), "bricks", 0.009, 0.1)
    parts = [Part(_tub(width, depth, height, 0.006, 0.9), weave)]
    outline = rounded_rectangle(width, depth, 0.04, 4)
    ring = np.concatenate([outline, np.full((len(outline), 1), height)], axis=1)
    meshes = [sweep(ring, 0.006, 6, closed=True)]
    if rng.random() < 0.5:
        angle = np.linspace(0, np.pi, 13)
        hoop = np.stack(
            [0.49 * width * np.cos(angle), 0 * angle, height + 0.5 * width * np.sin(angle)], axis=1
        )
        meshes.append(sweep(hoop, 0.0055, 6))
    parts.append(Part(join(meshes), Surface(darker(shade, 0.8), gloss=0.15)))
    return Shape(parts, cavity=Cavity(0.44 * depth, 0.008, height))


def _tub(width: float, depth: float, height: float, wall: float, taper: float) -> Mesh:
    """Return an open rectangular vessel with round corners, narrower by `taper` at the bottom."""
    outline = rounded_rectangle(width, depth, 0.2 * min(width, depth), 4)
    inner = rounded_rectangle(width - 2 * wall, depth - 2 * wall, 0.2 * min(width, depth), 4)
    rings = [
        0 * outline,
        taper * outline,
        taper * outline,
        outline,
        outline,
        inner,
        inner,
        taper * inner,
        taper * inner,
        0 * inner,
    ]
    levels = [0, 0, 0, height, height, height, height, wall, wall, wall]
    meshes = []
    for k in range(0, 10, 2):
        pair = [
            np.concatenate([rings[k + i], np.full((len(outline), 1), levels[k + i])], axis=1)
            for i in (0, 1)
        ]
        meshes.append(_band(pair[0], pair[1]))
    return join(meshes)


def _band(lower: np.ndarray, upper: np.ndarray) -> Mesh:
    return grid(np.stack([lower, upper]))


@asset("tray", PAINT, ("plastic", "wood", "metal"), weight=0.9, slab=True)
def tray(rng: Rng, colour: str, material: str) -> Shape:
    """A shallow rectangular tray."""
    width, depth, height = rng.uniform(0.24, 0.34), rng.uniform(0.17, 0.22), rng.uniform(0.02, 0.03)
    look = surface_of(rng, colour, material)
    return Shape(
        [Part(_tub(width, depth, height, 0.006, 0.94), look)],
        cavity=Cavity(0.42 * depth, 0.006, height),
    )


@asset(
    "tube",
    ("white", "white", *VIVID),
    ("plastic",),
    weight=1.3,
    poses={"upright": 0.35, "side": 0.65},
)
def tube(rng: Rng, colour: str, material: str) -> Shape:
    """A squeeze tube standing on its cap, flat at the crimped end."""
    r, height = rng.uniform(0.02, 0.026), rng.uniform(0.13, 0.18)
    cap_height = 0.16 * height
    angle = np.arange(18) * 2 * np.pi / 18
    t = np.linspace(0, 1, 8)
    rings = np.empty((8, 18, 3))
    rings[..., 0] = (r * (1 + 0.28 * t))[:, None] * np.cos(angle)
    rings[..., 1] = (r * (1 - 0.93 * t**1.4))[:, None] * np.sin(angle)
    rings[..., 2] = (cap_height + (height - cap_height) * t)[:, None]
    look = surface_of(rng, colour, material)
    second = (0.2, 0.45, 0.75) if colour == "white" else (0.93, 0.93, 0.92)
    printed = Surface(look.colour, second, "label", 0.016, 0.5)
    cap_word = one_of(rng, ["white", "blue", "black", "green"])
    cap = lathe([(0, 0), (0.86 * r, 0), (0.98 * r, cap_height), (0.5 * r, cap_height)], 18)
    crimp = extrude(
        np.array([[-1.28 * r, -0.003], [1.28 * r, -0.003], [1.28 * r, 0.003], [-1.28 * r, 0.003]]),
        0.008,
    )
    meshes = [grid(rings), crimp.moved((0, 0, height - 0.002))]
    return Shape(
        [
            Part(meshes[0], printed),
            Part(meshes[1], look),
            Part(cap, Surface(shade_of(rng, cap_word), gloss=0.4)),
        ]
    )
