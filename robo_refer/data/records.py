"""`Sample` to and from the plain rows of `schema.SCHEMA` (dicts, lists, numbers, text, bytes)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from robo_refer.data import images
from robo_refer.data.sample import ObjectTruth, Question, Rle, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, CameraModel, FloatArray, Step

Row = dict[str, Any]


def to_row(sample: Sample) -> Row:
    """Return the row of a (valid) sample."""
    return {
        "id": sample.id,
        "rgb": {"bytes": images.encode_rgb(sample.rgb), "path": None},
        "depth": _depth_row(sample),
        "camera": None if sample.camera is None else _camera_row(sample.camera),
        "objects": [_object_row(item) for item in sample.objects],
        "questions": [_question_row(question) for question in sample.questions],
        "source": sample.source,
        "meta": _to_json(sample.meta),
    }


def from_row(row: Mapping[str, Any]) -> Sample:
    """Return the sample of a row; raises BAD_SAMPLE naming the row.

    Columns that the row lacks come out empty: rgb as (0, 0, 3), depth None, no objects, no
    questions.
    """
    try:
        return _from_row(row)
    except RoboReferError as error:
        message = f"Sample {row.get('id')!r}: {error.message}"
        raise RoboReferError(ErrorCode.BAD_SAMPLE, message, error.remedy) from error
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"Sample {row.get('id')!r} is not whole ({type(error).__name__}: {error}).",
            "Write samples with robo_refer.data.ShardWriter.",
        ) from error


def _from_row(row: Mapping[str, Any]) -> Sample:
    camera = None if row["camera"] is None else _camera(row["camera"])
    rgb = np.zeros((0, 0, 3), np.uint8)
    if "rgb" in row:
        rgb = images.decode_rgb(row["rgb"]["bytes"])
        _check_size("rgb", rgb.shape, camera)
    depth_m = relative_depth = None
    if row.get("depth") is not None:
        data = row["depth"]["bytes"]
        if images.is_relative_depth(data):
            relative_depth = images.decode_relative_depth(data)
            _check_size("depth", relative_depth.shape, camera)
        else:
            depth_m = images.decode_depth(data)
            _check_size("depth", depth_m.shape, camera)
    return Sample(
        id=row["id"],
        rgb=rgb,
        depth_m=depth_m,
        camera=camera,
        objects=tuple(_object(item) for item in row.get("objects", ())),
        questions=tuple(_question(item) for item in row.get("questions", ())),
        source=row["source"],
        meta=json.loads(row["meta"]),
        relative_depth=relative_depth,
    )


def _check_size(name: str, shape: tuple[int, ...], camera: CameraModel | None) -> None:
    if camera is not None and shape[:2] != (camera.height, camera.width):
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"{name} is {shape[1]}x{shape[0]} but its camera {camera.width}x{camera.height}.",
            "Store the camera of the image as it is stored.",
        )


def _to_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=_plain)


def _plain(value: object) -> Any:
    """Turn numpy scalars and arrays, which json does not know, into numbers and lists."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _floats(values: Any) -> Any:
    return None if values is None else np.asarray(values, dtype=np.float64).tolist()


def _array(values: Any) -> FloatArray:
    return np.array(values, dtype=np.float64)


def _pair(values: Any) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def _rle(mask: Rle | None) -> Rle | None:
    if mask is None:
        return None
    return {"size": [int(n) for n in mask["size"]], "counts": mask["counts"]}


def _depth_row(sample: Sample) -> Row | None:
    """The depth of a sample: the bits of its PNG tell metric (16) from relative (8)."""
    if sample.depth_m is not None:
        return {"bytes": images.encode_depth(sample.depth_m), "path": None}
    if sample.relative_depth is not None:
        return {"bytes": images.encode_relative_depth(sample.relative_depth), "path": None}
    return None


def _camera_row(camera: CameraModel) -> Row:
    return {
        "width": camera.width,
        "height": camera.height,
        "fx": float(camera.fx),
        "fy": float(camera.fy),
        "cx": float(camera.cx),
        "cy": float(camera.cy),
        "distortion_model": camera.distortion_model,
        "distortion": _floats(camera.distortion),
        "T_world_cam": _floats(camera.T_world_cam),
        "frame": camera.frame,
    }


def _camera(row: Row) -> CameraModel:
    pose = row["T_world_cam"]
    return CameraModel(
        **{
            **row,
            "distortion": tuple(row["distortion"]),
            "T_world_cam": None if pose is None else _array(pose),
        }
    )


def _object_row(item: ObjectTruth) -> Row:
    return {
        "id": int(item.id),
        "name": item.name,
        "colour": item.colour,
        "material": item.material,
        "size_m": _floats(item.size_m),
        "T_world_obj": _floats(item.T_world_obj),
        "front_obj": _floats(item.front_obj),
        "mask": _rle(item.mask),
        "visible_fraction": float(item.visible_fraction),
        "depth_m": float(item.depth_m),
        "point_norm": _floats(item.point_norm),
        "support_id": int(item.support_id),
        "support_kind": item.support_kind,
    }


def _object(row: Row) -> ObjectTruth:
    front = row["front_obj"]
    return ObjectTruth(
        **{
            **row,
            "size_m": _array(row["size_m"]),
            "T_world_obj": _array(row["T_world_obj"]),
            "front_obj": None if front is None else _array(front),
            "point_norm": _pair(row["point_norm"]),
        }
    )


def _question_row(question: Question) -> Row:
    return {
        "kind": question.kind,
        "family": question.family,
        "hops": int(question.hops),
        "text": question.text,
        "points": [_floats(point) for point in question.answer.points],
        "steps": [
            {"kind": step.kind, "target": step.target, "value": _floats(step.value)}
            for step in question.answer.steps
        ],
        "target_ids": [int(n) for n in question.target_ids],
        "mask": _rle(question.mask),
        "step_ids": [int(n) for n in question.step_ids],
        "tags": _to_json(question.tags),
        "reply": question.reply,
    }


def _question(row: Row) -> Question:
    steps = (Step(step["kind"], step["target"], tuple(step["value"])) for step in row["steps"])
    points = tuple(_pair(point) for point in row["points"])
    return Question(
        kind=row["kind"],
        family=row["family"],
        hops=row["hops"],
        text=row["text"],
        answer=Answer(points, tuple(steps)),
        target_ids=tuple(row["target_ids"]),
        mask=row["mask"],
        step_ids=tuple(row["step_ids"]),
        tags=json.loads(row["tags"]),
        reply=row["reply"],
    )
