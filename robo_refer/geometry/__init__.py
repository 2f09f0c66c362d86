"""Pixels, points and frames: camera models, rigid transforms, and lifting pixels to 3D."""

from robo_refer.geometry.camera import (
    norm_to_px,
    project,
    px_to_norm,
    rays,
    scale_camera,
    unproject,
)
from robo_refer.geometry.depth_window import DEPTH_STATUSES, LiftOptions
from robo_refer.geometry.lift import (
    LiftedPixels,
    lift_pixel,
    lift_pixels,
    lift_point,
    nearest_pixel,
)
from robo_refer.geometry.transforms import (
    compose,
    from_quaternion,
    invert,
    is_rigid,
    transform_points,
)

__all__ = [
    "DEPTH_STATUSES",
    "LiftOptions",
    "LiftedPixels",
    "compose",
    "from_quaternion",
    "invert",
    "is_rigid",
    "lift_pixel",
    "lift_pixels",
    "lift_point",
    "nearest_pixel",
    "norm_to_px",
    "project",
    "px_to_norm",
    "rays",
    "scale_camera",
    "transform_points",
    "unproject",
]
