"""How the surfaces of a scene treat the light of a depth camera, and what lies behind glass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from robo_refer_data.render.embree import first_hits
from robo_refer_data.render.model import Optics, RenderScene


def optics(scene: RenderScene) -> Optics:
    """Return the optics of what is seen of a scene."""
    shape = (scene.camera.height, scene.camera.width)
    part, depth_m = first_hits(scene)
    seen = np.maximum(part, 0)
    hit = part >= 0
    behind_m = depth_m
    if scene.part_clear.any():
        solid = ~scene.part_clear[scene.face_part]
        opaque = replace(scene, faces=scene.faces[solid], face_part=scene.face_part[solid])
        behind_m = first_hits(opaque)[1]
    return Optics(
        gloss=np.where(hit, scene.part_looks[seen, 7], 0).astype(np.float32).reshape(shape),
        metal=(hit & (scene.part_looks[seen, 8] > 0.5)).reshape(shape),
        clear=(hit & scene.part_clear[seen]).reshape(shape),
        behind_m=behind_m.reshape(shape),
    )
