"""The types that carry everything: what was seen, what was asked, what was answered.

Conventions (defined here once): pixels are (u, v) with u right and v down, pixel centres at
integers as in OpenCV and ROS; normalised coordinates are `uv_norm = (uv_px + 0.5) / (width,
height)`. The camera frame is optical (REP-103): x right, y down, z forward, metres. A transform
`T_a_b` maps coordinates in frame b to frame a: `p_a = T_a_b @ p_b`. Depth is the z coordinate in
the camera frame in metres; 0 means "not measured".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError

FloatArray = NDArray[np.floating[Any]]
DistortionModel = Literal["none", "plumb_bob", "rational_polynomial", "equidistant"]
StepKind = Literal["position", "orientation", "size"]
DepthStatus = Literal["ok", "none", "hole_filled", "out_of_range", "ambiguous", "estimated"]

MAX_IMAGE_PIXELS = 40_000_000


@dataclass(frozen=True)
class CameraModel:
    """A pinhole camera with optional lens distortion (the models of ROS `sensor_msgs/CameraInfo`).

    Attributes:
        width, height: image size in pixels.
        fx, fy, cx, cy: intrinsics in pixels, pixel centres at integers.
        distortion_model: how `distortion` is to be read.
        distortion: coefficients in OpenCV order (k1 k2 p1 p2 k3 [k4 k5 k6]; equidistant k1..k4).
        T_world_cam: 4x4 pose of the optical frame in the world, or None where it is not known.
        frame: name of the optical frame.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: DistortionModel = "none"
    distortion: tuple[float, ...] = ()
    T_world_cam: FloatArray | None = field(default=None, compare=False)
    frame: str = "camera_optical_frame"

    def __post_init__(self) -> None:
        values = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if self.width < 1 or self.height < 1 or not all(np.isfinite(values)):
            raise RoboReferError(
                ErrorCode.BAD_CAMERA,
                f"Camera values are not finite or the size {self.width}x{self.height} is empty.",
                "Give a calibrated camera: width, height, fx, fy, cx, cy.",
            )
        if self.fx <= 0 or self.fy <= 0:
            raise RoboReferError(
                ErrorCode.BAD_CAMERA,
                f"Focal lengths must be positive, got fx={self.fx}, fy={self.fy}.",
                "Use a calibrated camera; an all-zero K means the driver is not calibrated.",
            )
        if self.T_world_cam is not None and np.shape(self.T_world_cam) != (4, 4):
            raise RoboReferError(
                ErrorCode.BAD_CAMERA,
                f"T_world_cam must be a 4x4 matrix, got shape {np.shape(self.T_world_cam)}.",
                "Give the pose of the camera's optical frame in the world as 4 rows of 4 numbers.",
            )

    @property
    def K(self) -> FloatArray:
        """The 3x3 intrinsic matrix, pixels."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])


@dataclass(frozen=True)
class Frame:
    """One moment of an RGB-D camera.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth_m: (height, width) float32, z in metres registered to `rgb`, or None. 0, NaN and
            infinities mean "not measured".
        camera: intrinsics (and pose) of both, or None: then answers stay in 2D.
        stamp_s: capture time in seconds, any clock.
    """

    rgb: NDArray[np.uint8]
    depth_m: FloatArray | None = None
    camera: CameraModel | None = None
    stamp_s: float = 0.0

    def __post_init__(self) -> None:
        _check_rgb(self.rgb)
        height, width = self.rgb.shape[:2]
        if self.depth_m is not None and self.depth_m.shape != (height, width):
            raise RoboReferError(
                ErrorCode.BAD_DEPTH,
                f"Depth has shape {self.depth_m.shape} but the image is {height}x{width} "
                "(rows x columns).",
                "Register depth to colour first (for example with depth_image_proc).",
            )
        if self.depth_m is not None and not np.issubdtype(self.depth_m.dtype, np.floating):
            raise RoboReferError(
                ErrorCode.BAD_DEPTH,
                f"Depth holds {self.depth_m.dtype} numbers, not metres as floats.",
                "Turn its counts into metres, for example depth_mm * 0.001.",
            )
        if self.camera is not None and (self.camera.width, self.camera.height) != (width, height):
            raise RoboReferError(
                ErrorCode.BAD_CAMERA,
                f"The camera is {self.camera.width}x{self.camera.height} "
                f"but the image is {width}x{height}.",
                "Give the intrinsics of this image; scale them if the image was resized.",
            )

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


def _check_rgb(rgb: NDArray[np.uint8]) -> None:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The image must be (height, width, 3) uint8, got {rgb.shape} {rgb.dtype}.",
            "Convert it to 8-bit RGB.",
        )
    height, width = rgb.shape[:2]
    if min(height, width) < 16:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The image is {width}x{height}; nothing can be found in it.",
            "Give an image of at least 16 pixels a side.",
        )
    if height * width > MAX_IMAGE_PIXELS:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The image has {height * width / 1e6:.0f} megapixels; "
            f"the limit is {MAX_IMAGE_PIXELS / 1e6:.0f}.",
            "Downscale it (and its depth and intrinsics) first.",
        )


@dataclass(frozen=True)
class Step:
    """One reasoning step, as written in the `<think>` block (paper section 3.4).

    Attributes:
        kind: what was perceived.
        target: the phrase of the object it is about.
        value: position: one (x, y) in [0, 1]; orientation: a unit vector (x, y, z) in the camera
            frame; size: one length in metres, as a 1-tuple.
    """

    kind: StepKind
    target: str
    value: tuple[float, ...]


@dataclass(frozen=True)
class Answer:
    """A parsed answer: the points (x, y) in [0, 1], best first, and the steps that led there.

    No points means that the referent is not there (`<answer>[]</answer>`).
    """

    points: tuple[tuple[float, float], ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True)
class ReferredPoint:
    """One referred point: the pixel, and the 3D point measured there.

    Attributes:
        uv_px: pixel in the original image.
        uv_norm: the same, in [0, 1].
        score: the model's confidence in [0, 1], or None when it gives none.
        depth_status: how the depth was obtained.
        depth_m: z in the camera frame, metres, or None.
        depth_support: share of valid depth pixels in the window, 0..1.
        p_cam_m: point in the camera's optical frame, metres, or None.
        cov_cam_m2: its 3x3 covariance in the same frame, square metres, or None.
        frame: name of the frame of `p_frame_m`, or None when no pose is known.
        p_frame_m: the point in that frame, metres, or None.
    """

    uv_px: tuple[float, float]
    uv_norm: tuple[float, float]
    score: float | None = None
    depth_status: DepthStatus = "none"
    depth_m: float | None = None
    depth_support: float = 0.0
    p_cam_m: tuple[float, float, float] | None = None
    cov_cam_m2: tuple[tuple[float, float, float], ...] | None = None
    frame: str | None = None
    p_frame_m: tuple[float, float, float] | None = None


@dataclass(frozen=True)
class Referral:
    """What was answered. `as_dict` is the JSON that every front end prints.

    Attributes:
        status: "ok", or an error code of `errors.py` in lower case ("no_target", "no_depth" ...).
        raw_answer: as the model wrote it, on its own canvas: where the image is letterboxed, the
            numbers differ from those of `points` and `steps`, which are the image's.
    """

    instruction: str
    model: str
    status: str
    points: tuple[ReferredPoint, ...]
    steps: tuple[Step, ...]
    raw_answer: str
    seconds: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields (lists, numbers, strings, None)."""
        return {
            "instruction": self.instruction,
            "model": self.model,
            "status": self.status,
            "points": [_point_dict(point) for point in self.points],
            "steps": [_step_dict(step) for step in self.steps],
            "raw_answer": self.raw_answer,
            "seconds": {name: round(value, 6) for name, value in self.seconds.items()},
        }


def _rounded(values: Sequence[float], digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]


def _point_dict(point: ReferredPoint) -> dict[str, Any]:
    return {
        "uv_px": _rounded(point.uv_px, 2),
        "uv_norm": _rounded(point.uv_norm, 4),
        "score": None if point.score is None else round(point.score, 4),
        "depth_status": point.depth_status,
        "depth_m": None if point.depth_m is None else round(point.depth_m, 4),
        "depth_support": round(point.depth_support, 3),
        "p_cam_m": None if point.p_cam_m is None else _rounded(point.p_cam_m, 4),
        "cov_cam_m2": None
        if point.cov_cam_m2 is None
        else [[float(f"{value:.6g}") for value in row] for row in point.cov_cam_m2],
        "frame": point.frame,
        "p_frame_m": None if point.p_frame_m is None else _rounded(point.p_frame_m, 4),
    }


def _step_dict(step: Step) -> dict[str, Any]:
    if step.kind == "position":
        value: Any = [_rounded(step.value, 3)]
    elif step.kind == "orientation":
        value = _rounded(step.value, 3)
    else:
        value = round(float(step.value[0]), 3)
    return {"type": step.kind, "target": step.target, "value": value}
