"""Tool poses for a simple grasp: come from one side, close, go back up.

A referred point lies on the visible surface, a little in front of what one wants to hold: the
fingers go `depth_m` further along the approach. No grasp sampler is hidden here; whoever has one
gives its pose instead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError

Pose = NDArray[np.float64]

_MIN_NORM = 1e-9


@dataclass(frozen=True)
class GraspOptions:
    """How the tool comes to a target. The tool's z axis points out of the hand, x across it.

    Attributes:
        approach: direction of the movement towards the target, base frame; down by default.
        yaw_rad: turn of the tool about the approach.
        pregrasp_m: distance before the target where the straight approach begins.
        depth_m: how far beyond the surface point the tool's tip goes.
        retreat_m: height of the straight way up afterwards, along the base frame's z.
    """

    approach: tuple[float, float, float] = (0.0, 0.0, -1.0)
    yaw_rad: float = 0.0
    pregrasp_m: float = 0.10
    depth_m: float = 0.02
    retreat_m: float = 0.15


@dataclass(frozen=True)
class GraspPoses:
    """4x4 poses of the tool in the base frame, in the order in which they are reached."""

    T_base_pregrasp: Pose
    T_base_grasp: Pose
    T_base_retreat: Pose


def grasp_poses(position_m: tuple[float, float, float], options: GraspOptions) -> GraspPoses:
    """Return the poses for a target at `position_m` (base frame, metres).

    Raises:
        RoboReferError: BAD_REQUEST when the approach has no direction.
    """
    z = np.asarray(options.approach, float)
    length = float(np.linalg.norm(z))
    if not np.isfinite(length) or length < _MIN_NORM:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The approach {options.approach} is no direction.",
            "Give a vector such as (0, 0, -1).",
        )
    z = z / length
    target = np.asarray(position_m, float)
    rotation = _rotation_along(z, options.yaw_rad)
    at_grasp = target + options.depth_m * z
    return GraspPoses(
        _pose(rotation, target - options.pregrasp_m * z),
        _pose(rotation, at_grasp),
        _pose(rotation, at_grasp + np.array([0.0, 0.0, options.retreat_m])),
    )


def _rotation_along(z: Pose, yaw_rad: float) -> Pose:
    """Return the rotation whose z axis is `z`; at yaw 0 its x axis is as near as can be to +x."""
    helper = np.array([1.0, 0.0, 0.0]) if abs(z[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = helper - (helper @ z) * z
    x /= np.linalg.norm(x)
    y = np.cross(z, x)
    turned = np.cos(yaw_rad) * x + np.sin(yaw_rad) * y
    return np.column_stack([turned, np.cross(z, turned), z])


def _pose(rotation: Pose, position_m: Pose) -> Pose:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, position_m
    return pose
