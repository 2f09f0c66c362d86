"""Frames of boxes on a table, ray-cast exactly, and written as the source `rgbd` reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data.images import encode_depth, encode_rgb
from robo_refer.types import CameraModel, FloatArray

WIDTH, HEIGHT = 320, 240
CAMERA = CameraModel(WIDTH, HEIGHT, 300.0, 300.0, 159.5, 119.5)
TABLE_RGB = (150, 140, 128)


@dataclass(frozen=True)
class Block:
    """An axis-aligned box in the world, z up, metres; the table is z = 0."""

    name: str
    rgb: tuple[int, int, int]
    low: tuple[float, float, float]
    high: tuple[float, float, float]


BLOCKS = (
    Block("box", (200, 30, 30), (-0.20, -0.05, 0.0), (-0.10, 0.05, 0.10)),
    Block("mug", (30, 60, 200), (0.02, 0.00, 0.0), (0.09, 0.07, 0.09)),
    Block("bowl", (240, 200, 40), (0.16, -0.10, 0.0), (0.26, -0.02, 0.05)),
)


def camera_pose(pitch_deg: float, height_m: float = 0.45) -> FloatArray:
    """Return (4, 4) pose of a camera that looks at the origin, down by an angle."""
    down = np.radians(pitch_deg)
    forward = np.array([0.0, np.cos(down), -np.sin(down)])
    right = np.array([1.0, 0.0, 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose[:3, 3] = -forward * height_m / np.sin(down)
    return pose


def cast(
    blocks: tuple[Block, ...], pose: FloatArray
) -> tuple[NDArray[np.uint8], FloatArray, NDArray[np.int32]]:
    """Return rgb, depth in metres and instances (1 = first block, 0 = table)."""
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    rays = np.stack(
        [(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones_like(u, float)], -1
    )
    rays = rays @ pose[:3, :3].T
    origin = pose[:3, 3]
    with np.errstate(divide="ignore"):
        depth = np.where(rays[..., 2] < 0, -origin[2] / rays[..., 2], np.inf)
        instance = np.zeros(depth.shape, np.int32)
        for number, block in enumerate(blocks, start=1):
            ends = (np.array([block.low, block.high])[:, None, None] - origin) / rays
            enter, leave = ends.min(axis=0).max(axis=-1), ends.max(axis=0).min(axis=-1)
            hit = (enter < leave) & (enter > 0) & (enter < depth)
            depth[hit], instance[hit] = enter[hit], number
    colours = np.array([TABLE_RGB, *(block.rgb for block in blocks)], np.uint8)
    return colours[instance], np.where(depth < 5, depth, 0).astype(np.float32), instance


def noisy(depth_m: FloatArray, seed: int) -> FloatArray:
    """Return depth with noise as a camera's, and holes."""
    rng = np.random.default_rng(seed)
    measured = depth_m + rng.normal(0, 0.0015, depth_m.shape) * (depth_m > 0)
    measured[rng.random(depth_m.shape) < 0.03] = 0
    return measured.astype(np.float32)


def write_frame(
    folder: Path,
    blocks: tuple[Block, ...] = BLOCKS,
    pitch_deg: float = 40.0,
    with_pose: bool = True,
    named: bool = True,
) -> NDArray[np.int32]:
    """Write a frame; return its true instances. Blocks named "" are not annotated."""
    pose = camera_pose(pitch_deg)
    rgb, depth_m, instance = cast(blocks, pose)
    folder.mkdir(parents=True)
    (folder / "color.png").write_bytes(encode_rgb(rgb))
    (folder / "depth.png").write_bytes(encode_depth(noisy(depth_m, 1)))
    camera = {name: getattr(CAMERA, name) for name in ("fx", "fy", "cx", "cy", "width", "height")}
    if with_pose:
        camera["T_world_cam"] = pose.tolist()
    (folder / "camera.json").write_text(json.dumps(camera))
    objects, labels = [], []
    for number, block in enumerate(blocks, start=1):
        if not block.name:
            continue
        T_world_obj = np.eye(4)
        T_world_obj[:3, 3] = np.mean([block.low, block.high], axis=0)
        shown = (
            {"T_world_obj": T_world_obj}
            if with_pose
            else {"T_cam_obj": np.linalg.inv(pose) @ T_world_obj}
        )
        row: dict[str, object] = {key: value.tolist() for key, value in shown.items()}
        row["size_m"] = (np.array(block.high) - block.low).tolist()
        left, top, width, height = cv2.boundingRect((instance == number).astype(np.uint8))
        label = {"name": block.name, "box_px": [left, top, left + width, top + height]}
        labels.append({**label, "score": 0.9})
        objects.append({**row, "name": block.name} if named else row)
    (folder / "objects.json").write_text(json.dumps(objects))
    if not named:
        (folder / "labels.json").write_text(json.dumps(labels[::-1]))
    return instance
