"""Fruit, vegetables, a donut: things with their natural colours."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import Mesh, ellipsoid, join, lathe, rod, rotation, sweep, torus
from robo_refer_data.assets.palette import Rgb, Surface, darker, shade_of
from robo_refer_data.assets.spec import Part, Shape, asset

Rng = np.random.Generator
FOOD = ("",)
STEM = Surface((0.33, 0.22, 0.10), gloss=0.05)
LEAF = Surface((0.16, 0.42, 0.12), gloss=0.2)


def _ripe(rng: Rng, colour: str) -> Rgb:
    """Return a shade of a colour word as fruit has it: greens are lighter and yellower."""
    red, green, blue = shade_of(rng, colour)
    return (red + 0.3, green + 0.14, blue - 0.04) if colour == "green" else (red, green, blue)


def _skin(
    rng: Rng, colour: str, texture: str = "noise", scale_m: float = 0.012, gloss: float = 0.35
) -> Surface:
    shade = _ripe(rng, colour)
    return Surface(
        shade, darker(shade, 0.86 if texture == "speckle" else 0.8), texture, scale_m, gloss
    )


@asset("apple", ("red", "red", "green"), FOOD, weight=1.4, round=True, small=True)
def apple(rng: Rng, colour: str, material: str) -> Shape:
    """A round fruit, dented at both ends, with a stem."""
    r = rng.uniform(0.034, 0.042)
    a = np.linspace(0, np.pi, 15)
    radial = r * np.sin(a) * (1.0 + 0.08 * np.cos(np.pi - a))
    z = -r * 0.93 * np.cos(a) + 0.26 * r * (
        np.exp(-((a / 0.42) ** 2)) - np.exp(-(((np.pi - a) / 0.5) ** 2))
    )
    body = lathe(np.stack([radial, z], axis=1), 20)
    shade = _ripe(rng, colour)
    look = Surface(shade, darker(shade, 0.7), "noise", 0.015, 0.5)
    stem = rod((0, 0, 0.6 * r), (0.004, 0, 1.12 * r), 0.0016, 6)
    parts = [Part(body, look), Part(stem, STEM)]
    if rng.random() < 0.5:
        leaf = ellipsoid((0.012, 0.006, 0.0015), 8, 5).moved((0.013, 0, 1.02 * r))
        parts.append(Part(leaf, LEAF))
    return Shape(parts)


@asset("banana", ("yellow", "yellow", "yellow", "green"), FOOD, weight=1.5)
def banana(rng: Rng, colour: str, material: str) -> Shape:
    """A bent fruit with a stem, lying on its side; its front is the stem."""
    bend, arc = rng.uniform(0.085, 0.12), rng.uniform(1.5, 1.9)
    angle = np.linspace(-0.5 * arc, 0.5 * arc, 13)
    path = np.stack([bend * np.sin(angle), bend * np.cos(angle) - bend, 0 * angle], axis=1)
    thick = rng.uniform(0.0165, 0.02)
    t = np.linspace(0, 1, 13)
    radii = thick * np.clip(1.25 * np.sin(np.pi * np.clip(t * 0.93 + 0.05, 0, 1)), 0.2, 1.0) ** 0.8
    radii[0], radii[-1], radii[-2] = 0.3 * thick, 0.34 * thick, 0.42 * thick
    look = _skin(rng, colour, "noise", 0.03, 0.35)
    tip = ellipsoid((0.3 * thick,) * 3, 8, 6).moved(path[0])
    along = (path[-1] - path[-2]) / np.linalg.norm(path[-1] - path[-2])
    stem = rod(path[-1] - 0.002 * along, path[-1] + 0.016 * along, 0.0055, 7)
    green = Surface((0.45, 0.48, 0.12), gloss=0.2)
    parts = [
        Part(sweep(path, radii, 10), look),
        Part(tip, Surface((0.18, 0.13, 0.06))),
        Part(stem, green),
    ]
    return Shape(parts, front=(1.0, 0.0, 0.0))


@asset("orange", ("orange",), FOOD, weight=1.3, round=True, small=True)
def orange(rng: Rng, colour: str, material: str) -> Shape:
    """A ball with pores and a small navel."""
    r = rng.uniform(0.034, 0.042)
    look = _skin(rng, colour, "speckle", 0.0035, 0.4)
    look = Surface(look.colour, darker(look.colour, 0.88), "speckle", 0.0035, 0.4)
    navel = ellipsoid((0.004, 0.004, 0.0015), 8, 4).moved((0, 0, 0.955 * r))
    return Shape([Part(ellipsoid((r, r, 0.95 * r), 20, 13), look), Part(navel, LEAF)])


def _lying(profile: np.ndarray, segments: int = 16) -> Mesh:
    """Return a lathe turned to lie along x."""
    return lathe(profile, segments).turned(rotation("y", np.pi / 2))


@asset("lemon", ("yellow",), FOOD, small=True)
def lemon(rng: Rng, colour: str, material: str) -> Shape:
    """An oval fruit with two nipples, lying."""
    r, half = rng.uniform(0.025, 0.029), rng.uniform(0.04, 0.046)
    t = np.linspace(-1, 1, 15)
    radial = (
        r * np.sqrt(np.clip(1 - (1.16 * np.abs(t)) ** 2.4, 0, 1))
        + 0.0055 * np.clip(1 - np.abs(t), 0, 0.12) / 0.12
    )
    radial[[0, -1]] = 0.0
    look = _skin(rng, colour, "speckle", 0.004, 0.4)
    return Shape([Part(_lying(np.stack([radial, half * t], axis=1)), look)])


@asset("pear", ("green", "yellow"), FOOD, round=True, small=True)
def pear(rng: Rng, colour: str, material: str) -> Shape:
    """A bell-shaped fruit, standing."""
    r, height = rng.uniform(0.032, 0.038), rng.uniform(0.09, 0.105)
    z = np.array([0, 0.01, 0.08, 0.2, 0.34, 0.48, 0.62, 0.74, 0.86, 0.95, 1.0])
    radial = np.array([0, 0.45, 0.82, 1.0, 0.98, 0.82, 0.6, 0.48, 0.42, 0.28, 0])
    body = lathe(np.stack([r * radial, height * z], axis=1), 18)
    look = _skin(rng, colour, "speckle", 0.006, 0.25)
    stem = rod((0, 0, 0.97 * height), (0.006, 0, height + 0.018), 0.002, 6)
    return Shape([Part(body, look), Part(stem, STEM)])


@asset("carrot", ("orange",), FOOD)
def carrot(rng: Rng, colour: str, material: str) -> Shape:
    """A long cone with green leaves, lying; its front is the tip."""
    length, r = rng.uniform(0.13, 0.18), rng.uniform(0.015, 0.019)
    t = np.linspace(0, 1, 9)
    radial = r * np.array([0.0, 0.85, 1.0, 0.93, 0.83, 0.7, 0.55, 0.36, 0.0])
    shade = shade_of(rng, colour)
    look = Surface(shade, darker(shade, 0.75), "noise", 0.008, 0.15)
    body = _lying(np.stack([radial, length * (t - 0.5)], axis=1), 12)
    leaves = []
    for spread in (-0.5, -0.15, 0.2, 0.5):
        end = (-0.5 * length - 0.045, 0.045 * spread, 0.012 * (1 + spread))
        leaves.append(rod((-0.48 * length, 0, 0), end, 0.0045, 6))
    return Shape([Part(body, look), Part(join(leaves), LEAF)], front=(1.0, 0.0, 0.0))


@asset("donut", ("brown", "pink", "white"), FOOD, round=True, small=True)
def donut(rng: Rng, colour: str, material: str) -> Shape:
    """A ring of dough, the colour being that of its icing, with sprinkles."""
    r, tube = rng.uniform(0.03, 0.035), rng.uniform(0.015, 0.018)
    dough = torus(r, tube, 24, 12)
    icing = torus(r, tube * 1.04, 24, 12)
    icing = Mesh(icing.vertices * [1, 1, 0.95] + [0, 0, 0.0], icing.faces)
    keep = (icing.vertices[icing.faces][:, :, 2] > -0.002).all(axis=1)
    shade = shade_of(rng, colour)
    pale = (0.97, 0.93, 0.7) if colour != "white" else (0.85, 0.3, 0.45)
    parts = [
        Part(dough, Surface((0.72, 0.47, 0.22), (0.6, 0.36, 0.15), "noise", 0.01, 0.1)),
        Part(
            Mesh(icing.vertices * [1.02, 1.02, 1.1], icing.faces[keep]),
            Surface(shade, pale, "speckle", 0.005, 0.5),
        ),
    ]
    return Shape(parts)


@asset("eggplant", ("purple",), FOOD)
def eggplant(rng: Rng, colour: str, material: str) -> Shape:
    """A dark, shiny club shape with a green cap, lying; its front is the thick end."""
    length, r = rng.uniform(0.15, 0.19), rng.uniform(0.03, 0.036)
    z = np.array([-0.5, -0.49, -0.44, -0.3, -0.1, 0.1, 0.28, 0.4, 0.47, 0.5])
    radial = np.array([0, 0.4, 0.5, 0.6, 0.76, 0.94, 1.0, 0.84, 0.5, 0])
    red, green, blue = shade_of(rng, colour)
    look = Surface((0.55 * red, 0.55 * green, 0.55 * blue), gloss=0.75)
    body = _lying(np.stack([r * radial, length * z], axis=1))
    cap = _lying(
        np.array([[0.0, -0.53 * length], [0.5 * r, -0.515 * length], [0.68 * r, -0.36 * length]]),
        12,
    )
    stem = rod((-0.5 * length, 0, 0), (-0.5 * length - 0.022, 0, 0.004), 0.005, 7)
    return Shape([Part(body, look), Part(join([cap, stem]), LEAF)], front=(1.0, 0.0, 0.0))
