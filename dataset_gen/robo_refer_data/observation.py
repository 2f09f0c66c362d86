"""`Observation`: one rendered scene with its exact ground truth, before anything is asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from robo_refer.data.sample import ObjectTruth
from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.assets.spec import Origin
from robo_refer_data.render.model import Optics

Half = Literal["natural", "decorrelated"]
"""natural: things standing on a table; decorrelated: image position, apparent size and depth drawn
independently, so that no heuristic on the image plane can answer a question about depth."""


@dataclass(frozen=True)
class Observation:
    """What a scene looks like from its camera, and what is truly there.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth_m: (height, width) float32, exact z in metres, 0 where no surface was hit.
        instance: (height, width) int32, `ObjectTruth.id` of the visible surface, 0 elsewhere.
        surface: (height, width) bool, visible pixels of the main support's flat top (the table),
            free of objects; all False where the scene has no main support.
        camera: intrinsics and `T_world_cam`; world z is up, metres.
        objects: the objects with enough visible pixels to be referred to (see `scenes`).
        half: natural or decorrelated.
        seed: the seed that regenerates it, byte for byte.
        table_outline: (k, 3) outline of the main support's top, world frame, metres; None where
            there is none.
        support_name: what people call the main support: "table", "desk", "counter", "floor".
        assets: the sources that its objects were drawn from (see `assets.library`).
        origins: where the models of others that are in it come from.
        optics: how it reflects, for a model of a depth camera; None unless asked for.
    """

    rgb: NDArray[np.uint8]
    depth_m: FloatArray
    instance: NDArray[np.int32]
    surface: NDArray[np.bool_]
    camera: CameraModel
    objects: tuple[ObjectTruth, ...]
    half: Half
    seed: int
    table_outline: FloatArray | None = None
    support_name: str = "table"
    assets: tuple[str, ...] = ("parametric",)
    origins: tuple[Origin, ...] = ()
    optics: Optics | None = None
