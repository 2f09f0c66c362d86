"""`observe_things`: a real frame and its named things -> an `Observation` as a renderer gives it.

Free space comes from the depth itself: a pixel of the support is one that lies on its plane (the
paper's visibility test, section 3.2); whatever rises above the plane and has no name is an obstacle
of its own, and the rules of `relations.free_space` apply as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data import ObjectTruth, masks
from robo_refer.types import CameraModel, FloatArray
from robo_refer_data.observation import Observation
from robo_refer_data.scenes.truth import MIN_IMAGE_SHARE, MIN_VISIBLE_FRACTION, point_on
from robo_refer_data.sources.colours import colour_in
from robo_refer_data.sources.source import LeftOutError
from robo_refer_data.sources.support_plane import Plane, find_support, points_of, tolerance_m
from robo_refer_data.sources.things import (
    GROUND,
    Box,
    Thing,
    box_around,
    grounded,
    measured_box,
    supports,
    visible_fraction,
)

LEAST_THINGS = 2
_RIM_SHARE = 0.012  # of the image's width around a thing, where depth mixes it with what is behind
_OBSTACLE_M = (0.015, 0.60)
_SPECK_SHARE = 1e-4  # of the image: smaller obstacles are noise


@dataclass(frozen=True)
class RgbdFrame:
    """A frame without distortion.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth_m: (height, width) float32, 0 where not measured.
        camera: its pose may be missing.
        max_tilt_deg: how far the camera may look down where its pose is missing.
        support_name: what people call the support in it.
    """

    rgb: NDArray[np.uint8]
    depth_m: FloatArray
    camera: CameraModel
    max_tilt_deg: float
    support_name: str = "surface"


@dataclass(frozen=True)
class World:
    """Where a frame was seen from, and the support in it.

    Attributes:
        camera: with a pose; world z is up.
        points: (height, width, 3) in the world, metres.
        plane: the support in the camera frame, or None.
        up: how up is known: "pose", "plane" or "assumed" (that the camera looks level).
    """

    camera: CameraModel
    points: FloatArray
    plane: Plane | None
    up: str

    @property
    def ground_m(self) -> float | None:
        """Height of the support in the world, metres."""
        if self.plane is None or self.camera.T_world_cam is None:
            return None
        on_it = self.camera.T_world_cam @ [*(self.plane.normal * self.plane.offset_m), 1.0]
        return float(on_it[2])


def place(frame: RgbdFrame, rng: np.random.Generator) -> World:
    """Return where a frame was seen from: its pose if it has one, else by its support plane."""
    points_cam = points_of(frame.depth_m, frame.camera)
    pose = frame.camera.T_world_cam
    up_cam = None if pose is None else pose[2, :3]
    measured = points_cam[frame.depth_m > 0]
    plane = find_support(measured, rng, up_cam, frame.max_tilt_deg)
    up = "pose"
    if pose is None:
        up = "assumed" if plane is None else "plane"
        pose = _upright(np.array([0.0, -1.0, 0.0]) if plane is None else plane.normal)
        if plane is not None:
            pose[2, 3] = -plane.offset_m  # the support is at height 0
    camera = replace(frame.camera, T_world_cam=pose)
    points = (points_cam @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)
    return World(camera, points, plane, up)


def _upright(up_cam: FloatArray) -> FloatArray:
    """Return a pose (4, 4) whose world z is `up_cam`, and whose y is the camera's forward."""
    forward = np.array([0.0, 0.0, 1.0])
    if abs(up_cam @ forward) > 0.999:  # looking straight down: forward is the image's top
        forward = np.array([0.0, -1.0, 0.0])
    y = forward - (forward @ up_cam) * up_cam
    y /= np.linalg.norm(y)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([np.cross(y, up_cam), y, up_cam])
    return pose


def observe_things(
    frame: RgbdFrame, world: World, things: Sequence[Thing], seed: int
) -> Observation:
    """Return the observation of a frame whose named things are given.

    Args:
        frame: what was seen.
        world: from where.
        things: what has a name.
        seed: is kept with it.

    Raises:
        LeftOutError: when fewer than two things can be seen well enough to be referred to.
    """
    kept, boxes = _boxed(frame, world, things)
    instance = _instances(kept, frame.depth_m.shape)
    resting = supports(boxes, [thing.given for thing in kept], world.ground_m)
    objects = []
    for index, (thing, box, (support, manner)) in enumerate(zip(kept, boxes, resting, strict=True)):
        if support == GROUND and not thing.given and world.ground_m is not None:
            box = grounded(box, world.ground_m)  # noqa: PLW2901
        item = _truth(frame, instance == index + 1, index + 1, thing, box)
        if item is not None:
            objects.append(replace(item, support_id=support + 1, support_kind=manner))
    if len(objects) < LEAST_THINGS:
        raise LeftOutError("fewer than two things are seen well enough")
    surface = _support_pixels(frame, world, instance)
    return Observation(
        rgb=frame.rgb,
        depth_m=frame.depth_m,
        instance=_with_obstacles(frame, world, instance, surface),
        surface=surface,
        camera=world.camera,
        objects=tuple(objects),
        half="natural",
        seed=seed,
        support_name=frame.support_name,
    )


def _boxed(
    frame: RgbdFrame, world: World, things: Sequence[Thing]
) -> tuple[list[Thing], list[Box]]:
    """Return the things that have a box, given or measured, largest masks first, and the boxes."""
    kept: list[Thing] = []
    boxes: list[Box] = []
    for thing in sorted(things, key=lambda thing: -int(thing.mask.sum())):
        if thing.size_m is not None and thing.T_world_obj is not None:
            box: Box | None = box_around(thing.size_m, thing.T_world_obj)
        else:
            box = measured_box(world.points[thing.mask & (frame.depth_m > 0)])
        if box is not None and thing.mask.any():
            kept.append(thing)
            boxes.append(box)
    return kept, boxes


def _instances(things: Sequence[Thing], shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Return whose pixel each is, from 1; where masks overlap the smaller thing is in front."""
    instance = np.zeros(shape, np.int32)
    for number, thing in enumerate(things, start=1):
        instance[thing.mask] = number
    return instance


def _truth(
    frame: RgbdFrame, mask: NDArray[np.bool_], id_: int, thing: Thing, box: Box
) -> ObjectTruth | None:
    """Return the truth of a thing, None where too little of it is seen."""
    measured = frame.depth_m[mask & (frame.depth_m > 0)]
    if mask.sum() < MIN_IMAGE_SHARE * mask.size or not len(measured):
        return None
    fraction = visible_fraction(mask, frame.depth_m)
    if fraction < MIN_VISIBLE_FRACTION:
        return None
    return ObjectTruth(
        id=id_,
        name=thing.name,
        colour=thing.colour or colour_in(frame.rgb, mask),
        material="",
        size_m=np.asarray(thing.size_m if thing.given else box.size_m, dtype=float),
        T_world_obj=np.asarray(thing.T_world_obj if thing.given else box.pose, dtype=float),
        front_obj=thing.front_obj,
        mask=masks.encode(mask),
        visible_fraction=fraction,
        depth_m=float(np.median(measured)),
        point_norm=point_on(mask),
    )


def _support_pixels(
    frame: RgbdFrame, world: World, instance: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Return which pixels show the support: those of its plane, in the largest connected part."""
    if world.plane is None:
        return np.zeros(instance.shape, bool)
    height = world.plane.height_m(points_of(frame.depth_m, frame.camera))
    near = (np.abs(height) <= tolerance_m(frame.depth_m)) & (frame.depth_m > 0)
    # What stands on the support does not part it.
    whole = (near | (instance > 0)).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(whole, connectivity=4)
    if len(stats) < 2:
        return np.zeros(instance.shape, bool)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    surface: NDArray[np.bool_] = near & (labels == largest) & (instance == 0)
    return surface


def _with_obstacles(
    frame: RgbdFrame,
    world: World,
    instance: NDArray[np.int32],
    surface: NDArray[np.bool_],
) -> NDArray[np.int32]:
    """Return the instances, and after them what rises above the support without a name."""
    if world.plane is None or not surface.any():
        return instance
    height = world.plane.height_m(points_of(frame.depth_m, frame.camera))
    radius = max(round(_RIM_SHARE * frame.camera.width), 2)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    near_things = cv2.dilate((instance > 0).astype(np.uint8), disc) > 0
    low, high = _OBSTACLE_M
    rises = (height > np.maximum(low, 2 * tolerance_m(frame.depth_m))) & (height < high)
    rises &= (frame.depth_m > 0) & ~near_things
    _, labels, stats, _ = cv2.connectedComponentsWithStats(rises.astype(np.uint8), connectivity=8)
    found, number = instance.copy(), int(instance.max())
    for label in range(1, len(stats)):
        if stats[label, cv2.CC_STAT_AREA] >= _SPECK_SHARE * instance.size:
            number += 1
            found[labels == label] = number
    return found
