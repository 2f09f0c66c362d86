"""The workspace: a box in the frame of the parameter, whatever frame an answer is asked in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fake_camera import CAMERA, FRAME, colour, depth
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.camera.convert import camera_message
from robo_refer_ros.camera.stream import Capture
from robo_refer_ros.settings import settings_from

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import from_quaternion, lift_point
from robo_refer.types import Frame, Referral

BASE = "base_link"
T_BASE_CAM = from_quaternion((0.0, 0.0, 0.0, 1.0), (1.0, 2.0, 3.0))
LEFT, RIGHT = (0.25, 0.5), (0.75, 0.5)
"""Of the image: at x = -0.21 m and 0.21 m in the camera's frame, z = 0.8 m."""


class Transforms:
    """Knows where the camera is in the base, and which frames it was asked for."""

    name = "fake"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> Any:
        self.asked.append(target)
        assert source == FRAME
        if target == BASE:
            return T_BASE_CAM
        if target == "table":
            return np.eye(4)
        raise RoboReferError(ErrorCode.TF_ERROR, "No such frame.", "None.")

    def clear(self) -> None: ...

    def close(self) -> None: ...


def answered(
    transforms: Transforms,
    *uv_norm: tuple[float, float],
    frame: str = "",
    hole: slice | None = None,
    require_depth: bool = True,
    **values: Any,
) -> Outcome:
    """Ask a model that points there, in front of a wall; `hole` are columns without depth."""
    z = depth()
    if hole is not None:
        wall = np.frombuffer(z.data, np.float32).reshape(z.height, z.width).copy()
        wall[:, hole] = 0
        z.data = wall.tobytes()

    def ask(request: Any, withdrawn: Any) -> Referral:
        seen: Frame = request.frame
        points = tuple(lift_point(seen, uv) for uv in uv_norm)
        return Referral("the wall", "fake", "ok", points, (), "", {})

    given = {"target_frame": BASE} | {name.replace("__", "."): v for name, v in values.items()}
    asker = Asker(
        SimpleNamespace(),  # type: ignore[arg-type]
        SimpleNamespace(ask=ask),  # type: ignore[arg-type]
        transforms,
        settings_from(given),
    )
    return asker.answer(
        Question(
            "1",
            "the wall",
            target_frame=frame,
            max_targets=0,
            require_depth=require_depth,
            capture=Capture(colour(), z, camera_message(CAMERA)),
        )
    )


@pytest.fixture
def transforms() -> Transforms:
    return Transforms()


def test_without_one_nothing_is_looked_up(transforms: Transforms) -> None:
    outcome = answered(transforms, LEFT, frame=FRAME)
    assert outcome.error is None
    assert transforms.asked == []


def test_the_box_is_in_the_frame_of_the_parameter(transforms: Transforms) -> None:
    box = {"workspace__min": [0.0, 0.0, 3.7], "workspace__max": [9.0, 9.0, 3.9]}
    for frame in ("", BASE, FRAME, "table"):
        assert answered(transforms, LEFT, frame=frame, **box).error is None
    assert transforms.asked == [BASE, BASE, BASE, "table", BASE]
    box["workspace__min"] = [0.0, 0.0, 3.85]
    for frame in ("", FRAME, "table"):
        outcome = answered(transforms, LEFT, frame=frame, **box)
        assert outcome.error is not None
        assert outcome.error.code is ErrorCode.OUT_OF_WORKSPACE
        assert "3.800) in base_link" in outcome.error.message
        assert outcome.referral is not None
        assert outcome.referral.points[0].frame == (frame or BASE)


def test_or_the_cameras_where_that_is_empty(transforms: Transforms) -> None:
    box = {"target_frame": "", "workspace__max": [9.0, 9.0, 1.0]}
    assert answered(transforms, LEFT, **box).error is None
    assert answered(transforms, LEFT, frame=BASE, **box).error is None
    assert transforms.asked == [BASE]
    box["workspace__max"] = [9.0, 9.0, 0.5]
    error = answered(transforms, LEFT, frame=BASE, **box).error
    assert error is not None
    assert f"0.800) in {FRAME}" in error.message


def test_every_point_must_lie_in_it(transforms: Transforms) -> None:
    box = {"workspace__max": [1.0, 9.0, 9.0]}  # the camera's x = 0
    assert answered(transforms, LEFT, LEFT, **box).error is None
    error = answered(transforms, LEFT, RIGHT, **box).error
    assert error is not None
    assert error.code is ErrorCode.OUT_OF_WORKSPACE
    assert error.message.startswith("Point 2, (1.2")


def test_a_point_without_a_position_hides_no_other(transforms: Transforms) -> None:
    box: dict[str, Any] = {"workspace__max": [1.0, 9.0, 9.0], "hole": slice(0, 40)}
    outcome = answered(transforms, LEFT, require_depth=False, **box)
    assert outcome.error is None
    error = answered(transforms, LEFT, RIGHT, require_depth=False, **box).error
    assert error is not None
    assert error.code is ErrorCode.OUT_OF_WORKSPACE


def test_where_the_box_is_must_be_known(transforms: Transforms) -> None:
    box = {"target_frame": "nowhere", "workspace__max": [9.0, 9.0, 9.0]}
    error = answered(transforms, LEFT, frame=FRAME, **box).error
    assert error is not None
    assert error.code is ErrorCode.TF_ERROR
