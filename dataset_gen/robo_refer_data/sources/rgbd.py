"""RGB-D frames with boxes: a folder of frames, as scans such as ScanNet or CA-1M are exported.

    FRAME/color.png (or .jpg)   FRAME/depth.png (16-bit millimetres)   FRAME/camera.json
    FRAME/objects.json          [{"name": "mug", "T_world_obj": [[...]], "size_m": [x, y, z]}, ...]
    FRAME/labels.json           [{"name": "mug", "box_px": [left, top, right, bottom]}, ...]

An object has a 3D box, or only a "box_px", or a "mask" (a picture in its frame's folder). Boxes
without a name get that of the label which overlaps them best, one to one, as in the paper's section
3.2. `docs/sources.md` says all of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.frame_files import load_frame, read_rgb
from robo_refer.geometry.camera import project
from robo_refer.geometry.transforms import is_rigid
from robo_refer.types import FloatArray
from robo_refer_data.sources.matching import iou, one_to_one
from robo_refer_data.sources.observing import RgbdFrame, World, observe_things, place
from robo_refer_data.sources.source import CERTAIN, WITHOUT_GRAVITY, LeftOutError, Seen
from robo_refer_data.sources.support_plane import points_of, tolerance_m
from robo_refer_data.sources.things import Thing, within

LEAST_IOU = 0.3
LIFTED = 0.6  # of the support's own tolerance: flat things are not much higher
ANY_TILT_DEG = 180.0  # a camera on a wrist may be turned any way
_SLACK_M = 0.01
_UNIT_SLACK = 0.01  # numbers are rounded
_FIELDS = {
    "name", "colour", "size_m", "T_world_obj", "T_cam_obj", "front_obj", "box_px", "mask",
}  # fmt: skip
_DATASET_FIELDS = {"name", "licence", "complete", "support"}


class RgbdSource:
    """Frames in a folder; see the head of this module for its layout."""

    def __init__(self, path: Path, out: Path, config: Path | None) -> None:
        del out
        if config is not None:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "RGB-D frames need no --config.",
                "Put what holds for all of them into dataset.json (see docs/sources.md).",
            )
        self._path = path
        about = path / "dataset.json"
        self._about: dict[str, Any] = _fields(about, _DATASET_FIELDS) if about.exists() else {}

    def frames(self) -> Sequence[str]:
        """Return the folders that hold a camera.json, relative to the source's."""
        found = self._path.rglob("camera.json")
        return sorted(file.parent.relative_to(self._path).as_posix() for file in found)

    def see(self, frame: str) -> Seen:
        """Return what a frame shows; see `Source.see`."""
        folder = self._path / frame
        seen = _read(folder, str(self._about.get("support") or "surface"))
        world = place(seen, np.random.default_rng(0))
        things = _things(folder, seen, world)
        observation = observe_things(seen, world, things, seed=0)
        return Seen(
            observation,
            families=FAMILIES if self._about.get("complete") is True else CERTAIN,
            relations=WITHOUT_GRAVITY if world.up == "assumed" else (),
            meta={
                "up": world.up,
                **{k: self._about[k] for k in ("name", "licence") if k in self._about},
            },
        )


def _read(folder: Path, support: str) -> RgbdFrame:
    pictures = [folder / name for name in ("color.png", "color.jpg") if (folder / name).exists()]
    if not pictures:
        raise _bad(folder, "has no color.png or color.jpg")
    frame = load_frame(pictures[0], folder / "depth.png", folder / "camera.json")
    assert frame.depth_m is not None
    assert frame.camera is not None
    if frame.camera.distortion_model != "none":
        raise RoboReferError(
            ErrorCode.BAD_CAMERA,
            f"The camera of {folder} has lens distortion.",
            "Undistort colour and depth first (for example with cv2.undistort), and give K alone.",
        )
    depth_m = np.where(np.isfinite(frame.depth_m), frame.depth_m, 0).astype(np.float32)
    return RgbdFrame(frame.rgb, depth_m, frame.camera, ANY_TILT_DEG, support)


def _things(folder: Path, seen: RgbdFrame, world: World) -> list[Thing]:
    rows = _rows(folder / "objects.json")
    boxes = [_box_px(folder, row, seen, world) for row in rows]
    found = folder / "labels.json"
    labels = _rows(found) if found.exists() else []
    if not all({"name", "box_px"} <= label.keys() for label in labels):
        raise _bad(found, "has a label without name or box_px")
    names, boxes = _named([str(row.get("name", "")) for row in rows], boxes, labels)
    shown = _above_support(seen, world) & (seen.depth_m > 0)
    things = [
        _thing(folder, row, name.lower(), within(box, shown), world)
        for row, name, box in zip(rows, names, boxes, strict=True)
        if name
    ]
    if not things:
        raise LeftOutError("nothing in it has a name")
    return things


def _named(
    names: list[str], boxes: list[FloatArray], labels: list[dict[str, Any]]
) -> tuple[list[str], list[FloatArray]]:
    """Return names and boxes, those without a name with what the label that fits them says."""
    names, boxes = list(names), list(boxes)
    nameless = [index for index, name in enumerate(names) if not name]
    if nameless and labels:
        offered = np.array([label["box_px"] for label in labels], float)
        overlap = iou(np.array([boxes[index] for index in nameless]), offered)
        for which, label in one_to_one(overlap, LEAST_IOU):
            names[nameless[which]] = str(labels[label]["name"])
            boxes[nameless[which]] = offered[label]  # theirs are tighter around what is seen
    return names, boxes


def _thing(
    folder: Path, row: dict[str, Any], name: str, inside: NDArray[np.bool_], world: World
) -> Thing:
    """Return an object; `inside` are the pixels in its 2D box that do not show the support."""
    pose, size = _pose(folder, row, world), row.get("size_m")
    if "mask" in row:
        mask = _mask(folder, row["mask"], inside.shape)
    elif pose is not None and size is not None:
        mask = inside & _inside(world.points, pose, np.asarray(size, float))
    else:
        mask = _largest_part(inside)
    front = row.get("front_obj")
    return Thing(
        name,
        mask,
        colour=str(row.get("colour", "")).lower(),
        size_m=None if size is None else np.asarray(size, float),
        T_world_obj=pose,
        front_obj=None if front is None else np.asarray(front, float),
    )


def _mask(folder: Path, name: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the mask that an object brings along."""
    if Path(str(name)).name != name:
        raise _bad(folder, f"names the mask {name!r}, which is not in its folder")
    mask: NDArray[np.bool_] = np.any(read_rgb(folder / name), axis=2)
    if mask.shape != shape:
        raise _bad(folder / name, f"is {mask.shape}, the frame {shape}")
    return mask


def _box_px(folder: Path, row: dict[str, Any], seen: RgbdFrame, world: World) -> FloatArray:
    """Return left, top, right, bottom in pixels: as given, or of the projected 3D box."""
    if "box_px" in row:
        return np.asarray(row["box_px"], float)
    if "mask" in row:
        mask = _mask(folder, row["mask"], seen.depth_m.shape).astype(np.uint8)
        left, top, width, height = cv2.boundingRect(mask)
        return np.array([left, top, left + width, top + height], float)
    pose, size_m = _pose(folder, row, world), row.get("size_m")
    if pose is None or size_m is None:
        raise _bad(folder, "has an object with neither a 3D box nor a box_px nor a mask")
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = signs * np.asarray(size_m) / 2 @ pose[:3, :3].T + pose[:3, 3]
    to_cam = np.linalg.inv(np.asarray(world.camera.T_world_cam))
    uv = project(corners @ to_cam[:3, :3].T + to_cam[:3, 3], seen.camera)
    if not np.isfinite(uv).all():
        return np.zeros(4)  # it reaches behind the camera
    limit = (seen.camera.width, seen.camera.height)
    return np.concatenate([np.clip(uv.min(0), 0, limit), np.clip(uv.max(0), 0, limit)])


def _pose(folder: Path, row: dict[str, Any], world: World) -> FloatArray | None:
    given = row.get("T_world_obj", row.get("T_cam_obj"))
    if given is None:
        return None
    try:
        pose = np.asarray(given, float)
    except (TypeError, ValueError):
        pose = np.zeros(0)
    if pose.shape != (4, 4) or not is_rigid(pose, 1e-3):
        raise _bad(folder, "has an object whose pose is no rotation and translation")
    if "T_world_obj" in row:
        if world.up != "pose":
            raise _bad(folder, "gives T_world_obj, but its camera.json no T_world_cam")
        return pose
    moved: FloatArray = np.asarray(world.camera.T_world_cam) @ pose
    return moved


def _above_support(seen: RgbdFrame, world: World) -> NDArray[np.bool_]:
    """Return which pixels do not show the support itself."""
    if world.plane is None:
        return np.ones(seen.depth_m.shape, bool)
    height = world.plane.height_m(points_of(seen.depth_m, seen.camera))
    above: NDArray[np.bool_] = height > LIFTED * tolerance_m(seen.depth_m)
    return above


def _inside(points: FloatArray, pose: FloatArray, size_m: FloatArray) -> NDArray[np.bool_]:
    """Return which points (h, w, 3) lie in an oriented box, with some slack for noise."""
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    inside: NDArray[np.bool_] = np.all(np.abs(local) <= size_m / 2 + _SLACK_M, axis=-1)
    return inside


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if len(stats) < 2:
        return mask
    part: NDArray[np.bool_] = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return part


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = _json(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise _bad(path, "is no list of objects")
    # What is null is not known.
    rows = [{name: value for name, value in row.items() if value is not None} for row in rows]
    for row in rows:
        _check(path, row, _FIELDS | {"score"})
        for name, count in (("box_px", 4), ("size_m", 3), ("front_obj", 3)):
            if name in row and not _numbers(row[name], count):
                raise _bad(path, f"has a {name} that is not {count} numbers")
        if min(row.get("size_m", [1])) <= 0:
            raise _bad(path, "has a size_m that is not positive")
        if abs(np.linalg.norm(row.get("front_obj", [1])) - 1) > _UNIT_SLACK:
            raise _bad(path, "has a front_obj that is no unit vector")
    return rows


def _fields(path: Path, known: set[str]) -> dict[str, Any]:
    fields = _json(path)
    if not isinstance(fields, dict):
        raise _bad(path, "holds no named values")
    _check(path, fields, known)
    return fields


def _check(path: Path, fields: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(fields) - known)
    if unknown:
        raise _bad(path, f"has the unknown key {unknown[0]!r} (known: {', '.join(sorted(known))})")


def _numbers(value: Any, count: int) -> bool:
    numbers = isinstance(value, list) and all(isinstance(one, int | float) for one in value)
    return numbers and len(value) == count and bool(np.isfinite(value).all())


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise _bad(path, f"cannot be read: {' '.join(str(error).split())}") from error


def _bad(path: Path, what: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE, f"{path} {what}.", "Correct it; docs/sources.md shows the layout."
    )
