"""Things to eat and drink from."""

from __future__ import annotations

import numpy as np

from robo_refer_data.assets.mesh import Mesh, ellipsoid, extrude, join, lathe, rod, sweep
from robo_refer_data.assets.palette import PAINT, VIVID, Surface, one_of, surface_of
from robo_refer_data.assets.spec import Cavity, Part, Shape, asset

Rng = np.random.Generator
DISHES = (*VIVID, "white", "grey", "black", "brown")


def _patterned(rng: Rng, look: Surface, chance: float, height: float) -> Surface:
    """Return the look, sometimes with a white band or dots, as crockery often has."""
    if look.metal or rng.random() > chance:
        return look
    texture = one_of(rng, ["band", "dots", "stripes"])
    scale = {"band": 0.12 * height, "dots": 0.022, "stripes": 0.02}[texture]
    pale = max(look.colour) < 0.85 or min(look.colour) < 0.6
    second = (0.92, 0.92, 0.9) if pale else (0.45, 0.5, 0.6)
    share = 0.55 if texture == "stripes" else 1.0  # stripes keep the main colour dominant
    mixed = tuple(share * s + (1 - share) * c for s, c in zip(second, look.colour, strict=True))
    return Surface(look.colour, mixed, texture, scale, look.gloss, look.metal)  # type: ignore[arg-type]


def _vessel(bottom: float, top: float, height: float, wall: float, bulge: float = 0.0) -> Mesh:
    """Return an open vessel with thickness; `bulge` widens the middle."""
    t = np.linspace(0, 1, 5)
    outer = bottom + (top - bottom) * t + bulge * np.sin(np.pi * t)
    outside = [(0.0, 0.0), (0.85 * bottom, 0.0), *zip(outer, height * t, strict=True)]
    inside = [
        (r - wall, max(z, 1.5 * wall)) for r, z in zip(outer[::-1], height * t[::-1], strict=True)
    ]
    return lathe([*outside, *inside, (0.0, 1.5 * wall)], 24)


@asset("mug", DISHES, ("ceramic", "ceramic", "metal"), weight=1.6, round=True)
def mug(rng: Rng, colour: str, material: str) -> Shape:
    """A cylinder with a C-shaped handle; its front is the handle."""
    radius, height = rng.uniform(0.036, 0.046), rng.uniform(0.082, 0.105)
    look = _patterned(rng, surface_of(rng, colour, material), 0.3, height)
    body = _vessel(radius * rng.uniform(0.86, 1.0), radius, height, 0.004, rng.uniform(0, 0.003))
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    reach = rng.uniform(0.026, 0.034)
    path = np.stack(
        [radius + 0.0025 + reach * np.cos(angle), 0 * angle, height * (0.5 + 0.33 * np.sin(angle))],
        axis=1,
    )
    handle = sweep(path, 0.0062, 8, flatten=1.3)
    plain = Surface(look.colour, gloss=look.gloss, metal=look.metal)
    cavity = Cavity(radius - 0.006, 0.008, height)
    parts = [Part(body, look), Part(handle, plain)]
    return Shape(parts, front=(1.0, 0.0, 0.0), cavity=cavity)


@asset(
    "cup",
    PAINT,
    ("plastic", "paper", "ceramic"),
    weight=1.3,
    round=True,
    poses={"upright": 0.88, "flip": 0.12},
)
def cup(rng: Rng, colour: str, material: str) -> Shape:
    """A tapered beaker without a handle."""
    top, height = rng.uniform(0.036, 0.046), rng.uniform(0.085, 0.12)
    look = _patterned(rng, surface_of(rng, colour, material), 0.25, height)
    body = _vessel(top * rng.uniform(0.62, 0.75), top, height, 0.0025)
    return Shape([Part(body, look)], cavity=Cavity(top * 0.66, 0.006, height))


@asset("bowl", PAINT, ("ceramic", "ceramic", "plastic", "wood", "metal"), weight=1.3, round=True)
def bowl(rng: Rng, colour: str, material: str) -> Shape:
    """A wide open bowl."""
    radius, height = rng.uniform(0.06, 0.09), rng.uniform(0.045, 0.065)
    look = surface_of(rng, colour, material)
    t = np.linspace(0, 1, 8)
    outer = radius * (0.42 + 0.58 * np.sin(0.5 * np.pi * t) ** 0.9)
    z = height * (1 - np.cos(0.5 * np.pi * t)) ** 0.9
    outside = [(0, 0), (0.4 * radius, 0), *zip(outer, z, strict=True)]
    inside = [(r - 0.004, max(h, 0.006)) for r, h in zip(outer[::-1], z[::-1], strict=True)]
    body = lathe([*outside, *inside, (0, 0.006)], 28)
    inner = Surface((0.9, 0.89, 0.86), gloss=look.gloss)
    cavity = Cavity(radius * 0.8, 0.008, height)
    if material == "ceramic" and colour != "white" and rng.random() < 0.3:  # glazed white within
        lining = lathe(
            [(0, 0.0066), *[(r - 0.0046, max(h, 0.0066)) for r, h in zip(outer, z, strict=True)]],
            28,
        )
        return Shape([Part(body, look), Part(lining, inner)], cavity=cavity)
    return Shape([Part(body, look)], cavity=cavity)


@asset("plate", DISHES, ("ceramic", "ceramic", "plastic", "metal"), round=True, slab=True)
def plate(rng: Rng, colour: str, material: str) -> Shape:
    """A flat plate with a raised rim; small things can lie on it."""
    radius, height = rng.uniform(0.085, 0.125), rng.uniform(0.014, 0.02)
    look = surface_of(rng, colour, material)
    flat = 0.66 * radius
    profile = [(0, 0), (flat, 0), (radius, height), (radius, height + 0.003)]
    profile += [(radius - 0.004, height + 0.003), (flat, 0.006), (0, 0.005)]
    parts = [Part(lathe(profile, 32), look)]
    if rng.random() < 0.35:
        ring = lathe(
            [(0.93 * radius, height * 0.86 + 0.0042), (0.86 * radius, height * 0.66 + 0.0042)], 32
        )
        parts.append(Part(ring, surface_of(rng, one_of(rng, ["blue", "grey", "white"]), material)))
    return Shape(parts, cavity=Cavity(flat, 0.006, height))


@asset("teapot", DISHES, ("ceramic", "metal"), weight=0.9)
def teapot(rng: Rng, colour: str, material: str) -> Shape:
    """A round body with lid, spout and handle; its front is the spout."""
    radius = rng.uniform(0.06, 0.075)
    height = radius * rng.uniform(1.45, 1.7)
    look = surface_of(rng, colour, material)
    t = np.linspace(0, 1, 10)
    r = radius * np.sin(np.pi * (0.16 + 0.74 * t)) ** 0.8
    body = lathe([(0, 0), *zip(r, height * t, strict=True), (0, height)], 24)
    lid = lathe(
        [(0.5 * radius, height * 0.96), (0.3 * radius, height * 1.06), (0.01, height * 1.08)], 20
    )
    knob = ellipsoid((0.011, 0.011, 0.010), 10, 6).moved((0, 0, height * 1.08 + 0.007))
    spout = sweep(
        np.array([[0.8 * radius, 0, 0.32 * height], [1.25 * radius, 0, 0.5 * height],
                  [1.45 * radius, 0, 0.75 * height], [1.72 * radius, 0, 0.95 * height]]),
        [0.019, 0.014, 0.010, 0.008], 10,
    )  # fmt: skip
    angle = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 9)
    path = np.stack(
        [
            -0.82 * radius - 0.62 * radius * np.cos(angle),
            0 * angle,
            height * (0.53 + 0.3 * np.sin(angle)),
        ],
        axis=1,
    )
    meshes = [body, lid, knob, spout, sweep(path, 0.0065, 8, flatten=1.4)]
    return Shape([Part(join(meshes), look)], front=(1.0, 0.0, 0.0))


@asset("vase", DISHES, ("ceramic", "glass"), weight=0.9, round=True)
def vase(rng: Rng, colour: str, material: str) -> Shape:
    """A tall curved vase with a narrow neck."""
    height, belly = rng.uniform(0.17, 0.25), rng.uniform(0.045, 0.062)
    look = surface_of(rng, colour, material)
    t = np.linspace(0, 1, 14)
    peak = rng.uniform(0.3, 0.42)
    r = (
        belly * (0.34 + 0.66 * np.exp(-(((t - peak) / 0.26) ** 2)))
        + 0.012 * np.clip(t - 0.82, 0, 1) / 0.18
    )
    outside = [(0, 0), *zip(r, height * t, strict=True)]
    inside = [(x - 0.004, z) for x, z in zip(r[::-1], height * t[::-1], strict=True)][:6]
    body = lathe([*outside, *inside, (0, inside[-1][1])], 24)
    return Shape([Part(body, look)])


@asset("spoon", ("grey", "grey", "brown", *VIVID), ("metal",), weight=0.8, stick=True, slab=True)
def spoon(rng: Rng, colour: str, material: str) -> Shape:
    """A table or cooking spoon; its front is the bowl."""
    length = rng.uniform(0.16, 0.24)
    made_of = {"grey": "metal", "brown": "wood"}.get(colour, "plastic")
    look = surface_of(rng, colour, made_of)
    scoop = ellipsoid((0.034, 0.023, 0.0085), 14, 8).moved((0.5 * length - 0.034, 0, 0.0085))
    x = np.linspace(-0.5 * length, 0.5 * length - 0.06, 5)
    path = np.stack([x, 0 * x, 0.006 + 0.008 * np.linspace(0, 1, 5)], axis=1)
    handle = sweep(path, [0.0078, 0.0066, 0.0056, 0.005, 0.006], 8, flatten=0.6)
    return Shape([Part(join([scoop, handle]), look)], front=(1.0, 0.0, 0.0), material=made_of)


@asset(
    "knife", ("black", "brown", "red", "blue", "green", "white"), ("metal",), weight=0.8, slab=True
)
def knife(rng: Rng, colour: str, material: str) -> Shape:
    """A kitchen knife lying flat; the colour is that of its handle, the front its tip."""
    blade_length, width = rng.uniform(0.13, 0.19), rng.uniform(0.024, 0.036)
    outline = np.array(
        [[0, -0.5 * width], [0.7 * blade_length, -0.45 * width], [0.9 * blade_length, -0.1 * width],
         [blade_length, 0.5 * width], [0, 0.5 * width]]
    )  # fmt: skip
    shift = np.array([0.5 * blade_length, 0.0])
    blade = extrude(outline - shift, 0.003).moved((shift[0], 0, 0.008))
    steel = Surface((0.72, 0.73, 0.75), gloss=0.7, metal=1.0)
    grip = sweep(
        np.array([[-0.115, 0, 0.0095], [-0.09, 0, 0.0095], [-0.04, 0, 0.0095], [0.004, 0, 0.0095]]),
        [0.013, 0.0125, 0.0115, 0.014], 10, flatten=0.72,
    )  # fmt: skip
    handle = surface_of(rng, colour, "wood" if colour == "brown" else "plastic")
    bolster = rod((0.0, 0, 0.0095), (0.01, 0, 0.0095), 0.0105)
    parts = [Part(blade, steel), Part(grip, handle), Part(bolster, steel)]
    return Shape(parts, front=(1.0, 0.0, 0.0))
