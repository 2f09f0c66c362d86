"""Drawing scenes: one interface, `render`; renderers are entries of `RENDERERS`."""

from __future__ import annotations

from collections.abc import Callable

from robo_refer_data.render.model import Lighting, RenderResult, RenderScene
from robo_refer_data.render.raycast import render_raycast
from robo_refer_data.render.sensor import sensor_depth

RENDERERS: dict[str, Callable[[RenderScene, int], RenderResult]] = {"raycast": render_raycast}

__all__ = ["RENDERERS", "Lighting", "RenderResult", "RenderScene", "render", "sensor_depth"]


def render(scene: RenderScene, antialias: int = 2, renderer: str = "raycast") -> RenderResult:
    """Draw `scene` from its camera, at the camera's size.

    Args:
        scene: what to draw.
        antialias: colour samples per pixel along each axis, where the picture is not flat.
        renderer: a key of `RENDERERS`.
    """
    return RENDERERS[renderer](scene, antialias)
