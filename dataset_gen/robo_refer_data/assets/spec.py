"""What an asset is, and the registry of all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.assets.mesh import Mesh
from robo_refer_data.assets.palette import BARE_METALS, Surface


@dataclass(frozen=True)
class Part:
    """A piece of an asset with one look."""

    mesh: Mesh
    surface: Surface


@dataclass(frozen=True)
class Cavity:
    """A round space, open upwards, that small things can be put into.

    Attributes:
        radius_m: of the largest upright cylinder that fits.
        floor_m, rim_m: heights of its bottom and edge above the asset's lowest point.
    """

    radius_m: float
    floor_m: float
    rim_m: float


@dataclass(frozen=True)
class Origin:
    """Where a model that others made comes from.

    Attributes:
        model: its name in its source, "Scopia#cup".
        creator: who made it, as the source says.
        licence: under which it is used.
    """

    model: str
    creator: str
    licence: str


@dataclass(frozen=True)
class Shape:
    """What a builder returns: parts in any frame with z up, standing on its lowest point.

    Attributes:
        front: unit vector of the semantic front in the builder's frame, or None.
        cavity: centred on the builder's z axis, or None.
        flat_top_m: (x, y) extents of the flat top around the z axis on which things can stand.
        shelter_m: (x, y, z) extents of the free space below its top, or None.
        material: the word for what it is made of where that is not what was asked for, or None.
        origin: where its model comes from, None for what is built from parameters.
    """

    parts: Sequence[Part]
    front: tuple[float, float, float] | None = None
    cavity: Cavity | None = None
    flat_top_m: tuple[float, float] | None = None
    shelter_m: tuple[float, float, float] | None = None
    material: str | None = None
    origin: Origin | None = None


Builder = Callable[[np.random.Generator, str, str], Shape]
"""(rng, colour word, material word) -> Shape."""


@dataclass(frozen=True)
class AssetSpec:
    """One kind of object.

    Attributes:
        name: singular, lower case.
        build: makes one instance.
        colours, materials: words that it comes in.
        weight: how often it is chosen, relative to others.
        poses: resting poses and their probabilities: "upright", "side" (turned a quarter about
            its x axis) or "flip" (upside down).
        round: whether its footprint is a circle rather than a rectangle.
        small: fits into bowls and baskets.
        stick: long and thin: can stand in a cup.
        slab: can lean against something; its long axis is x.
        span_m: no instance is longer than this, metres.
        version: changes with the models that it is built from; "" for parametric ones.
    """

    name: str
    build: Builder
    colours: tuple[str, ...]
    materials: tuple[str, ...]
    weight: float = 1.0
    poses: dict[str, float] = field(default_factory=lambda: {"upright": 1.0})
    round: bool = False
    small: bool = False
    stick: bool = False
    slab: bool = False
    span_m: float = 0.45
    version: str = ""


@dataclass(frozen=True)
class Asset:
    """One built object, in its own frame: the origin is the centre of its box, z up at rest.

    Attributes:
        size_m: (3,) extents of the box.
        centre_m: (3,) the box centre in the builder's frame.
    """

    spec: AssetSpec
    colour: str
    material: str
    shape: Shape
    parts: tuple[Part, ...]
    size_m: FloatArray
    centre_m: FloatArray


ASSETS: dict[str, AssetSpec] = {}


def asset(
    name: str, colours: Sequence[str], materials: Sequence[str], **options: object
) -> Callable[[Builder], Builder]:
    """Register a builder under `name`; `options` are the other fields of `AssetSpec`."""

    def register(build: Builder) -> Builder:
        if name in ASSETS:
            raise ValueError(f"The asset '{name}' is registered twice.")
        ASSETS[name] = AssetSpec(name, build, tuple(colours), tuple(materials), **options)  # type: ignore[arg-type]
        return build

    return register


def build_asset(spec: AssetSpec, rng: np.random.Generator, colour: str, material: str) -> Asset:
    """Build one instance of `spec`, moved so that its box is centred on the origin."""
    shape = spec.build(rng, colour, material)
    low = np.min([part.mesh.vertices.min(axis=0) for part in shape.parts], axis=0)
    high = np.max([part.mesh.vertices.max(axis=0) for part in shape.parts], axis=0)
    centre = (low + high) / 2
    parts = tuple(Part(part.mesh.moved(-centre), part.surface) for part in shape.parts)
    word = _material_word(spec, shape, colour, material)
    return Asset(spec, colour, word, shape, parts, high - low, centre)


def _material_word(spec: AssetSpec, shape: Shape, colour: str, material: str) -> str:
    """Return the material as it can be seen: "" where paint hides which of several it is."""
    if shape.material is not None:
        return shape.material
    painted = material == "metal" and colour not in BARE_METALS
    return "" if painted and len(set(spec.materials)) > 1 else material
