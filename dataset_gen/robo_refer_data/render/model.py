"""`RenderScene`: everything a renderer needs to draw one scene, and nothing about what it means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robo_refer.types import CameraModel, FloatArray


@dataclass(frozen=True)
class Lighting:
    """Light of a scene; colours are linear RGB.

    Attributes:
        key_dir: (3,) unit vector towards the main light, world frame.
        key_rgb: (3,) its strength.
        key_radius: tangent of its angular radius: how soft shadows are.
        fill_dir, fill_rgb: a second light without shadows.
        sky_rgb, ground_rgb: ambient light from above and below.
    """

    key_dir: FloatArray
    key_rgb: FloatArray
    key_radius: float
    fill_dir: FloatArray
    fill_rgb: FloatArray
    sky_rgb: FloatArray
    ground_rgb: FloatArray


@dataclass(frozen=True)
class RenderScene:
    """A scene as triangles.

    Attributes:
        vertices: (V, 3) float32, world frame, metres.
        local: (V, 3) float32, coordinates in which a part's texture lives, metres; of a part with
            a picture (u, v, 0), v upwards.
        faces: (F, 3) int32.
        face_part: (F,) int32, part of each triangle.
        part_looks: (P, 9) float32: linear RGB, second linear RGB, texture scale (m), gloss, metal.
        part_texture: (P,) int32, index into `textures.TEXTURES`.
        part_image: (P, 3) int32, first texel, width and height of a part's picture; 0, 0, 0
            without one.
        texels: (T, 3) float32, the rows of all pictures one after the other, linear RGB.
        part_instance: (P,) int32, object id of the part, 0 for background.
        part_surface: (P,) bool, whether its upward faces are the main support's top.
        part_clear: (P,) bool, whether it is clear glass (drawn opaque where a renderer cannot).
        camera: intrinsics for the image to be drawn and `T_world_cam`.
    """

    vertices: NDArray[np.float32]
    local: NDArray[np.float32]
    faces: NDArray[np.int32]
    face_part: NDArray[np.int32]
    part_looks: NDArray[np.float32]
    part_texture: NDArray[np.int32]
    part_image: NDArray[np.int32]
    texels: NDArray[np.float32]
    part_instance: NDArray[np.int32]
    part_surface: NDArray[np.bool_]
    part_clear: NDArray[np.bool_]
    lighting: Lighting
    camera: CameraModel


@dataclass(frozen=True)
class RenderResult:
    """What a renderer gives back.

    Attributes:
        rgb: (height, width, 3) uint8, anti-aliased.
        depth_m: (height, width) float32 z at the pixel centre, 0 where nothing was hit.
        instance: (height, width) int32 at the pixel centre.
        surface: (height, width) bool at the pixel centre: the main support's top.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    instance: NDArray[np.int32]
    surface: NDArray[np.bool_]


@dataclass(frozen=True)
class Optics:
    """How what is seen treats the light of a depth camera, at pixel centres.

    Attributes:
        gloss: (height, width) float32, 0 matt .. 1 mirror-like.
        metal: (height, width) bool.
        clear: (height, width) bool, glass that light passes through.
        behind_m: (height, width) float32 z of what lies behind the glass, metres; the same as
            `RenderResult.depth_m` elsewhere.
    """

    gloss: NDArray[np.float32]
    metal: NDArray[np.bool_]
    clear: NDArray[np.bool_]
    behind_m: NDArray[np.float32]
