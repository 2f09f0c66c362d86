"""The carrying types: what they refuse, and the JSON that every front end prints."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import (
    MAX_IMAGE_PIXELS,
    CameraModel,
    Frame,
    Referral,
    ReferredPoint,
    Step,
)

CAMERA = CameraModel(32, 24, 30, 31, 15.5, 11.5)
RGB = np.zeros((24, 32, 3), np.uint8)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0},
        {"height": -1},
        {"fx": 0.0},
        {"fy": -500.0},
        {"cx": float("nan")},
        {"fx": float("inf")},
        {"distortion": (0.1, float("nan"))},
        {"T_world_cam": np.eye(3)},
    ],
)
def test_impossible_cameras_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RoboReferError) as caught:
        replace(CAMERA, **wrong)
    assert caught.value.code is ErrorCode.BAD_CAMERA


def test_intrinsic_matrix() -> None:
    np.testing.assert_array_equal(CAMERA.K, [[30, 0, 15.5], [0, 31, 11.5], [0, 0, 1]])


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((24, 32), np.uint8),
        np.zeros((24, 32, 4), np.uint8),
        np.zeros((24, 32, 3), np.float32),
        np.zeros((1, 1, 3), np.uint8),
        np.zeros((15, 32, 3), np.uint8),
        np.broadcast_to(np.uint8(0), (MAX_IMAGE_PIXELS // 1000 + 1, 1000, 3)),
    ],
)
def test_impossible_images_are_refused(rgb: Any) -> None:
    with pytest.raises(RoboReferError) as caught:
        Frame(rgb)
    assert caught.value.code is ErrorCode.BAD_IMAGE


def test_depth_and_camera_must_be_of_the_image() -> None:
    frame = Frame(RGB, np.zeros((24, 32), np.float32), CAMERA)
    assert (frame.width, frame.height) == (32, 24)
    # Registered to another image; millimetres, which must not be taken for metres.
    for wrong in (np.zeros((32, 24), np.float32), np.zeros((24, 32), np.uint16)):
        with pytest.raises(RoboReferError) as caught:
            Frame(RGB, wrong)
        assert caught.value.code is ErrorCode.BAD_DEPTH
    with pytest.raises(RoboReferError) as caught:
        Frame(RGB, camera=replace(CAMERA, width=64))
    assert caught.value.code is ErrorCode.BAD_CAMERA


def test_a_referral_is_json() -> None:
    covariance = ((1e-4, 0.0, 1 / 3), (0.0, 1e-4, 0.0), (1 / 3, 0.0, 1e-4))
    full = ReferredPoint(
        (412.3, 240.9), (0.64421, 0.50211), 0.93, "ok", 0.71234567, 0.98765,
        (0.03, -0.01, 0.71234567), covariance, "base_link", (0.5, 0.0, 0.1),
    )  # fmt: skip
    flat = ReferredPoint((1.0, 2.0), (0.1, 0.2))
    steps = (
        Step("position", "red mug", (0.412, 0.633)),
        Step("orientation", "mug handle", (0.312, 0.316, -0.896)),
        Step("size", "red mug", (0.09,)),
    )
    referral = Referral("the mug", "nano", "ok", (full, flat), steps, "raw", {"model": 0.0812345})
    data = json.loads(json.dumps(referral.as_dict(), allow_nan=False))
    assert data["points"][0]["depth_m"] == 0.7123
    assert data["points"][0]["cov_cam_m2"][0] == [0.0001, 0.0, 0.333333]
    assert data["points"][0]["frame"] == "base_link"
    assert data["points"][1] == {
        "uv_px": [1.0, 2.0], "uv_norm": [0.1, 0.2], "score": None, "depth_status": "none",
        "depth_m": None, "depth_support": 0.0, "p_cam_m": None, "cov_cam_m2": None,
        "frame": None, "p_frame_m": None,
    }  # fmt: skip
    assert data["steps"] == [
        {"type": "position", "target": "red mug", "value": [[0.412, 0.633]]},
        {"type": "orientation", "target": "mug handle", "value": [0.312, 0.316, -0.896]},
        {"type": "size", "target": "red mug", "value": 0.09},
    ]
    assert data["seconds"] == {"model": 0.081235}
