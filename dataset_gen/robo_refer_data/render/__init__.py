"""Drawing scenes: one interface, `render`; renderers are entries of `RENDERERS`."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol

from robo_refer_data.render.model import Lighting, Optics, RenderResult, RenderScene
from robo_refer_data.render.sensor import sensor_depth

RENDERERS = {"embree": "robo_refer_data.render.embree", "mitsuba": "robo_refer_data.render.mitsuba"}
"""Renderers and their modules, imported when asked for (see `Renderer`)."""

__all__ = [
    "RENDERERS",
    "Lighting",
    "Optics",
    "RenderResult",
    "RenderScene",
    "Renderer",
    "find_renderer",
    "render",
    "sensor_depth",
]


class Renderer(Protocol):
    """What the module of a renderer provides; its import fails where it cannot work."""

    def draw(self, scene: RenderScene, antialias: int) -> RenderResult:
        """Draw `scene`; see `render`."""


def find_renderer(name: str) -> Renderer:
    """Return a renderer, ready to draw.

    Raises:
        RoboReferError: MISSING_DEPENDENCY where a package that it needs is not installed.
    """
    module: Renderer = import_module(RENDERERS[name])
    return module


def render(scene: RenderScene, antialias: int = 2, renderer: str = "embree") -> RenderResult:
    """Draw `scene` from its camera, at the camera's size.

    Args:
        scene: what to draw.
        antialias: colour samples per pixel along each axis, where the picture is not flat.
        renderer: a key of `RENDERERS`. All give the same depth, instances and surface.
    """
    return find_renderer(renderer).draw(scene, antialias)
