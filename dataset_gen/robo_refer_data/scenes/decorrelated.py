"""The decorrelated half: image position, apparent size and depth drawn independently.

On a table the nearest thing is the lowest in the image, so a model can answer questions about
depth without looking at depth. Here every object gets an image position (uniform), an apparent
radius and a depth (log-uniform) of its own, is back-projected and scaled to match, and stands on
a floating slab or a pedestal.
"""

from __future__ import annotations

import numpy as np

from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.assets import Asset
from robo_refer_data.assets.library import Library
from robo_refer_data.assets.mesh import Mesh, box, lathe
from robo_refer_data.scenes import choose, surroundings
from robo_refer_data.scenes.layout import Layout, PlacedObject, Prop, camera_at, pose

Rng = np.random.Generator
APPARENT_RADIUS = (0.04, 0.095)  # of the image width
DEPTH_RATIO = (1.7, 2.8)  # farthest over nearest
SLAB_SHARE = 0.6
TRIES = 60


def decorrelated_layout(rng: Rng, library: Library, width: int, height: int) -> Layout:
    """Return 4 to 10 objects on supports of their own in front of a room, and a camera."""
    camera = _camera(rng, width, height)
    near = rng.uniform(0.45, 0.9)
    far = near * rng.uniform(*DEPTH_RATIO)
    taken: list[tuple[str, str]] = []
    objects: list[PlacedObject] = []
    props: list[Prop] = []
    claimed: list[FloatArray] = []
    for spec in choose.pick_specs(rng, library, int(rng.integers(4, 11))):
        asset = choose.make(rng, spec, taken)
        kind = choose.resting_pose(rng, asset)
        apparent = rng.uniform(*APPARENT_RADIUS)
        depth = float(np.exp(rng.uniform(np.log(near), np.log(far))))
        scale = apparent * width * depth / camera.fx / _radius(asset)
        extents = choose.resting_extents(asset, kind) * scale
        yaw = rng.uniform(-np.pi, np.pi)
        support, drop = _support(rng, extents, asset.spec.round and kind != "side")
        spot = _free_spot(rng, camera, claimed, depth, extents, drop)
        if spot is None:
            taken.pop()
            continue
        turn = choose.pose_rotation(kind, yaw)
        objects.append(PlacedObject(len(objects) + 1, asset, pose(turn, spot), scale))
        foot = spot - [0, 0, extents[2] / 2]
        place = pose(choose.pose_rotation("upright", yaw), foot)
        look = surroundings.table_surface(rng)
        props.append(Prop(support, look, place))
    props += _room(rng, camera, far, objects)
    return Layout(objects, props, surroundings.random_lighting(rng), camera)


def _camera(rng: Rng, width: int, height: int) -> CameraModel:
    pitch, roll = np.radians(rng.uniform(3, 65)), np.radians(rng.uniform(-15, 15))
    yaw, hfov = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(45, 75))
    forward = np.array([np.cos(yaw) * np.cos(pitch), np.sin(yaw) * np.cos(pitch), -np.sin(pitch)])
    return camera_at(np.array([0.0, 0.0, 1.5]), forward, roll, hfov, width, height)


def _radius(asset: Asset) -> float:
    """Return half the mean of the asset's two largest extents, metres; more for thin things."""
    sizes = np.sort(asset.size_m)
    return float(0.25 * (sizes[1] + sizes[2])) * (1.35 if sizes[1] < 0.35 * sizes[2] else 1.0)


def _support(rng: Rng, extents: FloatArray, disc: bool) -> tuple[Mesh, float]:
    """Return a slab or pedestal whose top is at z = 0, and how far below that it reaches."""
    grow = rng.uniform(1.05, 1.35, 2)
    width, depth = float(extents[0] * grow[0]), float(extents[1] * grow[1])
    width, depth = max(width, 0.4 * depth), max(depth, 0.4 * width)
    drop = float(rng.uniform(0.1, 0.25) * max(extents[:2]))
    if rng.random() >= SLAB_SHARE:
        drop = float(rng.uniform(0.6, 2.2) * max(extents))
    if disc and rng.random() < 0.6:
        r = 0.5 * max(width, depth)
        return lathe([(0, -drop), (0.9 * r, -drop), (r, 0), (0, 0)], 24), drop
    return box((width, depth, drop), (0, 0, -drop)), drop


def _free_spot(
    rng: Rng,
    camera: CameraModel,
    claimed: list[FloatArray],
    depth: float,
    extents: FloatArray,
    drop: float,
) -> FloatArray | None:
    """Return a world position for a box centre at this depth whose picture covers no other.

    The image position is uniform; it is drawn again while the box and its support would overlap
    what is already there. `claimed` holds image rectangles (u0, v0, u1, v1) and grows by one.
    """
    assert camera.T_world_cam is not None
    rotation_wc, eye = camera.T_world_cam[:3, :3], camera.T_world_cam[:3, 3]
    width, height = camera.width, camera.height
    margin = 0.035 * width
    image = np.array([-0.5, -0.5, width - 0.5, height - 0.5])
    for _ in range(TRIES):
        u = rng.uniform(margin, width - margin) - 0.5
        v = rng.uniform(margin, height - margin) - 0.5
        ray = np.array([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, 1.0])
        centre = eye + rotation_wc @ (depth * ray)
        rect = _image_rectangle(camera, centre, extents, drop)
        shown = _overlap(rect, image)
        area = (rect[2] - rect[0]) * (rect[3] - rect[1])
        if shown < 0.72 * area:
            continue
        if all(_overlap(rect, other) <= 0 for other in claimed):
            claimed.append(rect)
            return np.asarray(centre)
    return None


def _image_rectangle(
    camera: CameraModel, centre: FloatArray, extents: FloatArray, drop: float
) -> FloatArray:
    """Return u0, v0, u1, v1 around a ball-like box of `extents` and the support below it."""
    assert camera.T_world_cam is not None
    half = 0.5 * float(np.hypot(extents[0], extents[1])) * 0.92
    corners = np.array(
        [
            [x, y, z]
            for x in (-half, half)
            for y in (-half, half)
            for z in (-extents[2] / 2 - drop, extents[2] / 2)
        ]
    )
    corners[:, :2] *= 0.8  # the yaw is free: between the inner and the outer circle
    local = (corners + centre - camera.T_world_cam[:3, 3]) @ camera.T_world_cam[:3, :3]
    z = np.maximum(local[:, 2], 0.05)
    u = camera.fx * local[:, 0] / z + camera.cx
    v = camera.fy * local[:, 1] / z + camera.cy
    return np.array([u.min(), v.min(), u.max(), v.max()])


def _overlap(one: FloatArray, other: FloatArray) -> float:
    """Return the common area of two rectangles, 0 if apart."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return float(max(width, 0.0) * max(height, 0.0))


def _room(rng: Rng, camera: CameraModel, far: float, objects: list[PlacedObject]) -> list[Prop]:
    """Return a floor below and a wall behind everything, with pictures and floating panels."""
    assert camera.T_world_cam is not None
    forward, eye = camera.T_world_cam[:3, 2], camera.T_world_cam[:3, 3]
    heading = float(np.arctan2(forward[1], forward[0]))
    lowest = min((o.T_world_obj[2, 3] - 1.9 * o.size_m.max() for o in objects), default=0.5)
    floor_z = float(lowest - rng.uniform(0.05, 1.2))
    toward = heading + rng.uniform(-0.35, 0.35)
    direction = np.array([np.cos(toward), np.sin(toward), 0.0])
    reach = max(
        (
            float((o.T_world_obj[:3, 3] - eye) @ direction + 0.5 * o.size_m.max() * 1.5)
            for o in objects
        ),
        default=far,
    )
    foot = eye + direction * (reach + rng.uniform(0.1, 2.0))
    foot[2] = floor_z
    props = [surroundings.floor_prop(rng, (eye[0], eye[1]), floor_z)]
    props.append(surroundings.wall_prop(rng, foot, toward + np.pi))
    props += surroundings.wall_pictures(rng, foot, toward + np.pi, (0.2, 2.5))
    return props
