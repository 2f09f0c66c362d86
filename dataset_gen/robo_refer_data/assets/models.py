"""From models of one name to a kind of object (`AssetSpec`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from robo_refer.types import FloatArray
from robo_refer_data.assets.model_files import cached_model
from robo_refer_data.assets.spec import AssetSpec, Origin, Shape

SMALL_M = 0.09  # what is not longer goes into bowls and baskets


@dataclass(frozen=True)
class NamedModel:
    """A model with its name, its real size and where it comes from.

    Attributes:
        key: of the parsed model in the cache.
        name: singular, lower case.
        size_m: (3,) extents along x, y, z at rest, metres.
        colour, material: words, "" where there is none.
        front: unit vector of its semantic front, z up, or None.
        rotation: (3, 3) from the parsed model to how it stands.
        weight: how often it is chosen, relative to others.
    """

    key: str
    name: str
    size_m: FloatArray
    colour: str
    material: str
    origin: Origin
    front: tuple[float, float, float] | None = None
    rotation: FloatArray = field(default_factory=lambda: np.eye(3))
    weight: float = 1.0


def specs_of(models: Sequence[NamedModel]) -> tuple[AssetSpec, ...]:
    """Return one kind per name; an instance is one of its models, of the colour asked for.

    A name with several models is chosen more often, but not in proportion to their number.
    """
    by_name: dict[str, list[NamedModel]] = {}
    for model in models:
        by_name.setdefault(model.name, []).append(model)
    return tuple(_spec(name, found) for name, found in sorted(by_name.items()))


def _spec(name: str, models: list[NamedModel]) -> AssetSpec:
    def build(rng: np.random.Generator, colour: str, material: str) -> Shape:
        fitting = [model for model in models if model.colour == colour]
        model = fitting[int(rng.integers(len(fitting)))]
        return Shape(
            cached_model(model.key).placed(model.rotation, model.size_m),
            front=model.front,
            material=model.material,
            origin=model.origin,
        )

    span_m = max(float(model.size_m.max()) for model in models)
    options: dict[str, Any] = {"small": span_m <= SMALL_M, "span_m": span_m}
    return AssetSpec(
        name,
        build,
        tuple(dict.fromkeys(model.colour for model in models)),
        ("",),
        weight=float(np.sqrt(sum(model.weight for model in models))),
        version=" ".join(sorted(f"{model.key}{model.size_m}" for model in models)),
        **options,
    )
