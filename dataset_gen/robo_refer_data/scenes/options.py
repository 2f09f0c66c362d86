"""`SceneOptions`: what kind of scene to make, of what, and how to draw it."""

from __future__ import annotations

from dataclasses import dataclass

FEWEST, MOST = 3, 12
"""How many objects a scene holds unless asked otherwise."""


# The keys of `WORLDS`, `RENDERERS` and `EFFECTS`, for those who plan scenes without making any: a
# test holds them together.
WORLD_NAMES = ("tabletop", "shelf", "desk", "kitchen", "floor")
RENDERER_NAMES = ("embree", "mitsuba")
EFFECT_NAMES = (
    "noise", "transparent", "edges", "grazing", "dark", "shiny", "patches", "strays",
    "quantisation",
)  # fmt: skip


@dataclass(frozen=True)
class SceneOptions:
    """What kind of scene to make.

    Attributes:
        world: a key of `WORLDS`; what the natural half shows.
        assets: sources of objects, see `assets.library`.
        objects: fewest and most objects of a natural scene.
        physics: let things settle even in worlds where they are placed exactly.
        renderer: a key of `RENDERERS`.
        optics: whether to note how surfaces reflect, for a model of a depth camera.
    """

    world: str = "tabletop"
    assets: tuple[str, ...] = ("parametric",)
    objects: tuple[int, int] = (FEWEST, MOST)
    physics: bool = False
    renderer: str = "embree"
    optics: bool = False


DEFAULT = SceneOptions()
