"""Makes small observations without the renderer: boxes on a table, painted back to front."""

from __future__ import annotations

import cv2
import numpy as np

from robo_refer.data import masks
from robo_refer.data.sample import ObjectTruth
from robo_refer.types import CameraModel
from robo_refer_data.observation import Half, Observation

NAMES = ("mug", "bowl", "bottle", "can", "box", "book", "plate", "apple", "banana", "spoon")
COLOURS = ("red", "green", "blue", "yellow", "white", "black")
POINTED = ("mug", "spoon")  # these have a front
MATERIALS = ("ceramic", "plastic", "wood", "metal")


def made_scene(
    seed: int, half: Half = "natural", width: int = 160, height: int = 120
) -> Observation:
    """Return an observation with 4 to 10 boxes, some of them stacked."""
    rng = np.random.default_rng(seed)
    camera = _camera(rng, width, height)
    boxes = _boxes(rng, camera, half)
    return _painted(boxes, camera, half, seed)


def _camera(rng: np.random.Generator, width: int, height: int) -> CameraModel:
    pitch = np.radians(rng.uniform(25, 60))
    forward = np.array([0, np.cos(pitch), -np.sin(pitch)])
    right = np.array([1.0, 0, 0])
    rotation = np.stack([right, np.cross(forward, right), forward], axis=1)
    pose = np.eye(4)
    pose[:3, :3] = rotation
    pose[:3, 3] = -forward * rng.uniform(0.8, 1.1)
    focal = 1.1 * width
    return CameraModel(
        width, height, focal, focal, (width - 1) / 2, (height - 1) / 2, T_world_cam=pose
    )


def _boxes(
    rng: np.random.Generator, camera: CameraModel, half: Half
) -> list[tuple[np.ndarray, np.ndarray, int, str]]:
    """(pose, size, support id, support kind) of each box."""
    found: list[tuple[np.ndarray, np.ndarray, int, str]] = []
    for _ in range(int(rng.integers(4, 11))):
        size = rng.uniform(0.04, 0.12, 3)
        pose = np.eye(4)
        yaw = rng.uniform(0, np.pi)
        pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
        support, kind = 0, "on"
        if half == "decorrelated":
            depth = np.exp(rng.uniform(np.log(0.6), np.log(1.4)))
            u, v = rng.uniform(0.1, 0.9, 2) * (camera.width, camera.height)
            ray = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1])
            pose[:3, 3] = camera.T_world_cam[:3, :3] @ (ray * depth) + camera.T_world_cam[:3, 3]
            size *= depth
        elif found and rng.random() < 0.25 and found[-1][2] == 0:
            support, kind = len(found), str(rng.choice(["on", "in"]))
            size *= 0.6
            below, below_size = found[-1][0], found[-1][1]
            pose[:3, 3] = below[:3, 3] + (0, 0, (below_size[2] + size[2]) / 2)
        else:
            pose[:3, 3] = (*rng.uniform(-0.35, 0.35, 2), size[2] / 2)
            if any(np.linalg.norm(pose[:2, 3] - other[0][:2, 3]) < 0.12 for other in found):
                continue
        found.append((pose, size, support, kind))
    return found


def _painted(
    boxes: list[tuple[np.ndarray, np.ndarray, int, str]],
    camera: CameraModel,
    half: Half,
    seed: int,
) -> Observation:
    rng = np.random.default_rng(seed + 1)
    depth, table = _table(camera, half)
    instance = np.zeros(depth.shape, np.int32)
    to_camera = np.linalg.inv(camera.T_world_cam)
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
    order = sorted(range(len(boxes)), key=lambda i: -(to_camera @ boxes[i][0][:, 3])[2])
    full: dict[int, int] = {}
    for index in order:
        pose, size = boxes[index][:2]
        world = (corners * size) @ pose[:3, :3].T + pose[:3, 3]
        cam = world @ to_camera[:3, :3].T + to_camera[:3, 3]
        pixels = cam[:, :2] / cam[:, 2:] * camera.fx + (camera.cx, camera.cy)
        drawn = np.zeros(depth.shape, np.uint8)
        cv2.fillConvexPoly(drawn, cv2.convexHull(np.round(pixels).astype(np.int32)), (1.0,))
        full[index] = max(int(drawn.sum()), 1)
        instance[drawn > 0] = index + 1
        depth[drawn > 0] = cam[:, 2].mean()
    objects = []
    for index, (pose, size, support, kind) in enumerate(boxes):
        mask = instance == index + 1
        name, colour, material = (str(rng.choice(w)) for w in (NAMES, COLOURS, MATERIALS))
        if mask.sum() >= 40:
            objects.append(
                ObjectTruth(
                    index + 1,
                    name,
                    colour,
                    material,
                    size,
                    pose,
                    np.array([1.0, 0.0, 0.0]) if name in POINTED else None,
                    masks.encode(mask),
                    float(mask.sum() / full[index]),
                    float(np.median(depth[mask])),
                    _deepest(mask),
                    support,
                    kind,
                )
            )
    rgb = np.zeros((*depth.shape, 3), np.uint8)
    return Observation(
        rgb,
        depth.astype(np.float32),
        instance,
        table & (instance == 0),
        camera,
        tuple(objects),
        half,
        seed,
    )


def _table(camera: CameraModel, half: Half) -> tuple[np.ndarray, np.ndarray]:
    """Depth of the plane z = 0 and where it is part of a table of 1 m by 1 m."""
    v, u = np.mgrid[: camera.height, : camera.width]
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    rays = np.stack([x, y, np.ones(u.shape)], -1)
    rotation, position = camera.T_world_cam[:3, :3], camera.T_world_cam[:3, 3]
    directions = rays @ rotation.T
    depth = -position[2] / directions[..., 2]
    points = position + directions * depth[..., None]
    table = (np.abs(points[..., :2]) < 0.5).all(-1) & (depth > 0)
    if half == "decorrelated":
        return np.zeros(u.shape), np.zeros(u.shape, bool)
    return np.where(table, depth, 0.0), table


def _deepest(mask: np.ndarray) -> tuple[float, float]:
    distance = cv2.distanceTransform(np.pad(mask.astype(np.uint8), 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return float((column + 0.5) / mask.shape[1]), float((row + 0.5) / mask.shape[0])
