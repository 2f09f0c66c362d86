"""Camera files -> `CameraModel`: our JSON, or a ROS `camera_info` YAML.

JSON: `fx fy cx cy width height`, optionally `distortion_model` and `distortion`, `T_world_cam`
(4 rows of 4 numbers: pose of the optical frame in the world) and `frame`.

YAML: what `camera_calibration` writes (`image_width`, `camera_matrix: {data: [...]}` ...) and what
`ros2 topic echo --once .../camera_info` prints (`width`, `k: [...]`, `d: [...]` ...). K and D are
those of the raw image; of a rectified one, give K alone.
"""

from __future__ import annotations

import difflib
import json
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import yaml

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.pictures import read_bytes
from robo_refer.geometry.transforms import nearest_rigid
from robo_refer.types import CameraModel, DistortionModel, FloatArray

_REQUIRED = ("fx", "fy", "cx", "cy", "width", "height")
_OPTIONAL = ("distortion_model", "distortion", "T_world_cam", "frame")
_COEFFICIENTS: dict[str, tuple[int, ...]] = {
    "none": (0,),
    "plumb_bob": (4, 5),
    "rational_polynomial": (8,),
    "equidistant": (4,),
}
# Keys of both ROS layouts that say nothing about K, D or the size of the image.
_ROS_UNUSED = {
    "camera_name", "header", "rectification_matrix", "projection_matrix", "r", "p",
    "binning_x", "binning_y", "roi",
}  # fmt: skip
_ROS_NAMES = {
    "image_width": "width",
    "image_height": "height",
    "camera_matrix": "k",
    "distortion_coefficients": "d",
}
_MAX_BYTES = 100_000
_LARGEST = 1e9


def read_camera(path: Path) -> CameraModel:
    """Return the camera that a JSON or YAML file describes.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read; BAD_CAMERA when a key is missing, unknown
            or has a value that no camera has.
    """
    data = read_bytes(path, "camera")
    if len(data) > _MAX_BYTES:
        _fail(path, "is far too large for a camera file", "Give its JSON or camera_info YAML.")
    try:
        text = data.decode()
        is_yaml = path.suffix.lower() in {".yaml", ".yml"}
        # Echoed messages end with a document mark: only the first document counts.
        fields = next(iter(yaml.safe_load_all(text)), None) if is_yaml else json.loads(text)
    except Exception as error:  # YAML's own tags fail in many ways: "!!bool x" is a KeyError
        reason = " ".join(str(error).split())
        _fail(path, f"cannot be parsed: {reason}", "Give JSON, or a ROS camera_info as .yaml.")
    if not isinstance(fields, dict):
        _fail(path, "does not hold named values", f"Give {', '.join(_REQUIRED)}.")
    if any(name in fields for name in ("camera_matrix", "k", "K")):
        fields = _from_ros(path, fields)
    return _camera(path, fields)


def _camera(path: Path, fields: Mapping[str, Any]) -> CameraModel:
    """Check every key and value of our layout, and return the camera."""
    _check_names(path, fields, (*_REQUIRED, *_OPTIONAL), _REQUIRED)
    model, distortion = _distortion(path, fields)
    pose, frame = fields.get("T_world_cam"), fields.get("frame") or CameraModel.frame
    if not isinstance(frame, str | int | float):  # YAML reads a serial number as one
        _fail(path, f"has frame = {_shown(frame)}", "Give the name of the optical frame.")
    return CameraModel(
        width=_pixels(path, "width", fields["width"]),
        height=_pixels(path, "height", fields["height"]),
        fx=_number(path, "fx", fields["fx"]),
        fy=_number(path, "fy", fields["fy"]),
        cx=_number(path, "cx", fields["cx"]),
        cy=_number(path, "cy", fields["cy"]),
        distortion_model=model,
        distortion=distortion,
        T_world_cam=None if pose is None else _pose(path, pose),
        frame=str(frame),
    )


def _from_ros(path: Path, fields: Mapping[Any, Any]) -> dict[str, Any]:
    """Return our layout from either ROS layout (ROS 1 echoes K and D in capitals)."""
    plain = {str(name).lower(): value for name, value in fields.items()}
    values = {
        _ROS_NAMES.get(name, name): value
        for name, value in plain.items()
        if name not in _ROS_UNUSED
    }
    _check_names(path, values, ("width", "height", "k", "d", "distortion_model"), ("k",))
    matrix = _numbers(path, "camera matrix", _matrix_data(values["k"]), (9,))
    header = plain.get("header")
    frame = header.get("frame_id") if isinstance(header, dict) else None
    distortion = _matrix_data(values.get("d")) or []
    ours: dict[str, Any] = {"fx": matrix[0], "fy": matrix[4], "cx": matrix[2], "cy": matrix[5]}
    ours.update({name: values[name] for name in ("width", "height") if name in values})
    ours.update(
        # No coefficients mean a rectified image, whatever the model is called.
        distortion_model=(values.get("distortion_model") or "plumb_bob") if distortion else "none",
        distortion=distortion,
        frame=frame or plain.get("camera_name"),
    )
    return ours


def _matrix_data(value: Any) -> Any:
    return value.get("data") if isinstance(value, dict) else value


def _distortion(path: Path, fields: Mapping[str, Any]) -> tuple[DistortionModel, tuple[float, ...]]:
    values = fields.get("distortion") or []
    model = fields.get("distortion_model") or ("plumb_bob" if values else "none")
    if not isinstance(model, str) or model not in _COEFFICIENTS:
        _fail(
            path,
            f"has the distortion model {_shown(model)}",
            f"Use one of {', '.join(_COEFFICIENTS)}.",
        )
    checked = _numbers(path, f"distortion ({model})", values, _COEFFICIENTS[model])
    return cast(DistortionModel, model), checked


def _pose(path: Path, value: Any) -> FloatArray:
    """Return the 4x4 pose, or fail when it does not turn and move without scale or mirror."""
    rows = value if isinstance(value, list) and len(value) == 4 else []
    written = np.array([_numbers(path, "T_world_cam", row, (4,)) for row in rows])
    remedy = "Give the pose of the optical frame in the world as 4 rows of 4 numbers, metres."
    if written.shape != (4, 4):
        _fail(path, "has a T_world_cam that is not 4x4", remedy)
    pose = nearest_rigid(written)
    if pose is None:
        _fail(path, "has a T_world_cam that is no rotation and translation", remedy)
    return pose


def _check_names(
    path: Path, fields: Mapping[Any, Any], known: tuple[str, ...], required: tuple[str, ...]
) -> None:
    for name in fields:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1, cutoff=0.5)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            _fail(path, f"has an unknown key {_shown(name)}", f"{hint}Known: {', '.join(known)}.")
    missing = [name for name in required if name not in fields]
    if missing:
        _fail(path, f"lacks {', '.join(missing)}", f"Give {', '.join(required)}.")


def _number(path: Path, name: str, value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # No camera has a value of a billion; larger integers would not even become floats.
    if not is_number or not abs(value) < _LARGEST:
        _fail(path, f"has {name} = {_shown(value)}", "Give a finite number.")
    return float(value)


def _pixels(path: Path, name: str, value: Any) -> int:
    number = _number(path, name, value)
    if not number.is_integer():
        _fail(path, f"has {name} = {_shown(value)}", "Give a whole number of pixels.")
    return int(number)


def _numbers(path: Path, name: str, value: Any, counts: tuple[int, ...]) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) not in counts:
        wanted = " or ".join(map(str, counts))
        _fail(path, f"has a {name} that is not a list of {wanted} numbers", "Correct it.")
    return tuple(_number(path, name, item) for item in value)


def _shown(value: Any) -> str:
    """Return a value in short: aliases of YAML nest lists that have no end when written out."""
    return f"{reprlib.repr(value):.60}"


def _fail(path: Path, problem: str, remedy: str) -> NoReturn:
    raise RoboReferError(ErrorCode.BAD_CAMERA, f"The camera file {path} {problem}.", remedy)
