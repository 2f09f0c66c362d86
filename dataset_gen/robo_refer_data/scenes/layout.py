"""What a scene consists of before it is drawn: placed objects, props, light and a camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.assets import Asset
from robo_refer_data.assets.mesh import Mesh
from robo_refer_data.assets.palette import Surface
from robo_refer_data.render import Lighting


@dataclass(frozen=True)
class PlacedObject:
    """An asset at its place.

    Attributes:
        id: instance number, 1-based.
        T_world_obj: (4, 4) rigid pose of the box centre.
        scale: 3-D size over the asset's real size.
        support_id, support_kind: see `ObjectTruth`.
    """

    id: int
    asset: Asset
    T_world_obj: FloatArray
    scale: float = 1.0
    support_id: int = 0
    support_kind: str = "on"

    @property
    def size_m(self) -> FloatArray:
        """(3,) extents of the oriented box."""
        return self.asset.size_m * self.scale


@dataclass(frozen=True)
class Prop:
    """A piece of the surroundings, in the world frame unless `T_world_prop` is given.

    Attributes:
        is_surface: whether its top is the scene's main support.
    """

    mesh: Mesh
    surface: Surface
    T_world_prop: FloatArray | None = None
    is_surface: bool = False


@dataclass(frozen=True)
class Layout:
    """A scene, ready to be drawn; `table_outline` and `support_name` as in `Observation`."""

    objects: list[PlacedObject]
    props: list[Prop]
    lighting: Lighting
    camera: CameraModel
    table_outline: FloatArray | None = None
    support_name: str = "table"


def pose(rotation: FloatArray, position: FloatArray) -> FloatArray:
    """Return the 4x4 transform with this 3x3 rotation and (3,) position."""
    transform = np.eye(4)
    transform[:3, :3] = rotation
    transform[:3, 3] = position
    return transform


def camera_at(
    eye: FloatArray, forward: FloatArray, roll_rad: float, hfov_rad: float, width: int, height: int
) -> CameraModel:
    """Return a pinhole camera at `eye` that looks along `forward` (world frame, z up)."""
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    c, s = np.cos(roll_rad), np.sin(roll_rad)
    axes = np.stack([c * right + s * down, -s * right + c * down, forward], axis=1)
    focal = 0.5 * width / np.tan(0.5 * hfov_rad)
    centre = ((width - 1) / 2, (height - 1) / 2)
    return CameraModel(width, height, focal, focal, *centre, T_world_cam=pose(axes, eye))
