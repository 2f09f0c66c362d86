"""Cameras: projecting and unprojecting undo each other, for every lens model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import norm_to_px, project, px_to_norm, rays, scale_camera, unproject
from robo_refer.types import CameraModel

PINHOLE = CameraModel(640, 480, 612.3, 611.1, 321.7, 243.2)
CAMERAS = {
    "pinhole": PINHOLE,
    "all zero": replace(PINHOLE, distortion_model="plumb_bob", distortion=(0, 0, 0, 0, 0)),
    "webcam": replace(
        PINHOLE,
        distortion_model="plumb_bob",
        distortion=(-0.28, 0.09, 0.0012, -0.0007, -0.012),
    ),
    # Factory calibration of an Azure Kinect colour camera.
    "rational": replace(
        PINHOLE,
        distortion_model="rational_polynomial",
        distortion=(0.476, -2.69, 0.00049, -0.00018, 1.56, 0.353, -2.5, 1.48),
    ),
    "fisheye": CameraModel(
        640, 480, 286, 287, 322, 241, "equidistant", (-0.007, 0.043, -0.04, 0.007)
    ),
    "plain fisheye": CameraModel(640, 480, 286, 287, 322, 241, "equidistant", (0, 0, 0, 0)),
}


def pixels(width: int = 640, height: int = 480) -> Any:
    inside = st.tuples(st.floats(0, width - 1), st.floats(0, height - 1))
    return st.lists(inside, min_size=1, max_size=8)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS.keys())
@given(uv=pixels(), depth=st.floats(0.05, 50))
def test_unproject_then_project_is_the_identity(
    camera: CameraModel, uv: list[tuple[float, float]], depth: float
) -> None:
    points = unproject(uv, [depth] * len(uv), camera)
    np.testing.assert_allclose(points[:, 2], depth)
    np.testing.assert_allclose(project(points, camera), uv, atol=1e-5)


@given(arrays(np.float64, (5, 3), elements=st.floats(-1, 1)))
def test_pinhole_is_the_textbook_formula(xyz: Any) -> None:
    xyz = xyz + np.array((0, 0, 2.5))
    expected = xyz @ PINHOLE.K.T
    np.testing.assert_allclose(project(xyz, PINHOLE), expected[:, :2] / expected[:, 2:])


def test_points_behind_the_camera_have_no_pixel() -> None:
    uv = project([[0, 0, 1], [0, 0, 0], [0.1, 0, -1]], CAMERAS["webcam"])
    np.testing.assert_array_equal(np.isnan(uv[:, 0]), [False, True, True])


@pytest.mark.parametrize("name", ["pinhole", "webcam", "fisheye"])
def test_nothing_in_nothing_out(name: str) -> None:
    empty = np.zeros((0, 2))
    assert rays(empty, CAMERAS[name]).shape == (0, 3)
    assert project(np.zeros((0, 3)), CAMERAS[name]).shape == (0, 2)


def test_a_lens_that_cannot_be_inverted_gives_nan() -> None:
    # Barrel distortion so strong that no ray reaches the corner.
    camera = replace(CAMERAS["webcam"], distortion=(-0.9, 0, 0, 0, 0))
    points = rays([(320, 240), (-4000, -4000)], camera)
    assert np.isfinite(points[0]).all()
    assert np.isnan(points[1, :2]).all()


@pytest.mark.parametrize("name", CAMERAS)
@given(
    uv=pixels(),
    size=st.sampled_from([(320, 240), (1280, 960), (641, 479), (100, 300)]),
)
def test_a_resized_image_sees_the_same_rays(
    name: str, uv: list[tuple[float, float]], size: tuple[int, int]
) -> None:
    camera = CAMERAS[name]
    small = scale_camera(camera, *size)
    assert (small.width, small.height) == size
    same = norm_to_px(px_to_norm(uv, camera.width, camera.height), *size)
    np.testing.assert_allclose(rays(same, small), rays(uv, camera), atol=1e-6)


def test_scaling_keeps_pose_and_frame() -> None:
    camera = replace(PINHOLE, T_world_cam=np.eye(4), frame="head_camera_optical_frame")
    scaled = scale_camera(camera, 320, 240)
    assert scaled.frame == camera.frame
    assert scaled.T_world_cam is camera.T_world_cam


def test_corners_of_the_image_are_zero_and_one() -> None:
    np.testing.assert_allclose(norm_to_px([[0, 0], [1, 1]], 4, 2), [[-0.5, -0.5], [3.5, 1.5]])
    np.testing.assert_allclose(px_to_norm((0, 0), 4, 2), (0.125, 0.25))


@pytest.mark.parametrize(
    ("model", "count"), [("plumb_bob", 3), ("equidistant", 5), ("rational_polynomial", 5)]
)
def test_a_wrong_number_of_coefficients_is_refused(model: Any, count: int) -> None:
    camera = replace(PINHOLE, distortion_model=model, distortion=(0.1,) * count)
    with pytest.raises(RoboReferError) as caught:
        rays([(1, 1)], camera)
    assert caught.value.code is ErrorCode.BAD_CAMERA
