"""Lifting: true surfaces found under noise and holes, edges resolved, and no invented points."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import (
    DEPTH_STATUSES,
    LiftOptions,
    depth_window,
    from_quaternion,
    lift_pixel,
    lift_pixels,
    lift_point,
    nearest_pixel,
    project,
    px_to_norm,
    rays,
    transform_points,
)
from robo_refer.geometry.camera import ray_slopes
from robo_refer.geometry.depth_window import depth_noise_m, measure_depths
from robo_refer.geometry.lift import point_covariances
from robo_refer.types import CameraModel, Frame, ReferredPoint

WIDTH, HEIGHT = 64, 48
POSE = from_quaternion((0.5, -0.5, 0.5, -0.5), (0.4, 0.1, 0.8))
CAMERA = CameraModel(WIDTH, HEIGHT, 60, 60, 31.5, 23.5, T_world_cam=POSE)
RGB = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
NEAR, FAR = 0.6, 0.9
WINDOW = 7 * 7


def lift(depth: Any, u: float = 32, v: float = 24, **options: Any) -> ReferredPoint:
    frame = Frame(RGB, np.asarray(depth, np.float32), CAMERA)
    x, y = px_to_norm((u, v), WIDTH, HEIGHT)
    return lift_point(frame, (float(x), float(y)), options=LiftOptions(**options))


def flat(z: float) -> Any:
    return np.full((HEIGHT, WIDTH), z, np.float32)


def edge(column: int) -> Any:
    """A near surface left of a column, a far one from there on."""
    return np.where(np.arange(WIDTH) < column, NEAR, FAR) * np.ones((HEIGHT, 1))


seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.floats(0.3, 4), st.floats(-0.1, 0.1), st.floats(0, 0.2))
def test_a_noisy_slanted_plane_with_holes(seed: int, z0: float, slope: float, holes: float) -> None:
    rng = np.random.default_rng(seed)
    v, u = np.mgrid[:HEIGHT, :WIDTH]
    directions = rays(np.column_stack([u.ravel(), v.ravel()]), CAMERA)
    plane = (z0 / (1 - directions @ (slope, -slope, 0))).reshape(HEIGHT, WIDTH)
    noise = depth_noise_m(z0)
    depth = plane + rng.normal(0, noise, plane.shape)
    depth[rng.random(depth.shape) < holes] = rng.choice([0, np.nan, np.inf, -np.inf])
    pu, pv = int(rng.integers(8, WIDTH - 8)), int(rng.integers(8, HEIGHT - 8))
    point = lift(depth, pu, pv)
    true = float(plane[pv, pu])
    assert point.depth_status in ("ok", "hole_filled")
    assert point.depth_m is not None
    assert point.p_cam_m is not None
    assert point.cov_cam_m2 is not None
    per_pixel = abs(float(plane[pv, pu + 1] - plane[pv, pu])) * 2
    assert abs(point.depth_m - true) < 4 * depth_noise_m(true) + 2 * per_pixel
    np.testing.assert_allclose(project([point.p_cam_m], CAMERA)[0], (pu, pv), atol=1e-6)
    assert abs(point.depth_m - true) < 5 * np.sqrt(point.cov_cam_m2[2][2])


def test_point_in_the_world_and_pixel_of_the_answer() -> None:
    point = lift(flat(1.2), 10.25, 30.5)
    assert point.depth_status == "ok"
    assert point.depth_support == 1.0
    assert point.depth_m == pytest.approx(1.2)
    assert point.uv_px == pytest.approx((10.25, 30.5))
    assert point.p_cam_m == pytest.approx(((10.25 - 31.5) / 50, (30.5 - 23.5) / 50, 1.2))
    assert point.p_frame_m == pytest.approx(tuple(transform_points(POSE, point.p_cam_m)))
    assert point.frame == "world"


@given(seeds, st.integers(-3, 3))
def test_a_pixel_near_an_edge_gets_its_own_surface(seed: int, offset: int) -> None:
    depth = edge(32) + np.random.default_rng(seed).normal(0, 0.002, (HEIGHT, WIDTH))
    point = lift(depth, 32 + offset, 24)
    assert point.depth_m == pytest.approx(FAR if offset >= 0 else NEAR, abs=0.01)
    touches = offset in (-1, 0)
    assert point.depth_status == ("ambiguous" if touches else "ok")
    if touches:
        assert point.cov_cam_m2 is not None
        assert np.sqrt(point.cov_cam_m2[2][2]) >= (FAR - NEAR) / 2 - 0.01


def test_a_thin_thing_is_not_its_background() -> None:
    depth = flat(FAR)
    depth[:, 31:34] = NEAR
    point = lift(depth)
    assert (point.depth_status, point.depth_m) == ("ok", pytest.approx(NEAR))


def test_mixed_pixels_between_two_surfaces_do_not_bridge_them() -> None:
    depth = edge(32)
    depth[:, 31:33] = np.linspace(NEAR, FAR, HEIGHT)[:, None]
    assert lift(depth, 30, 24).depth_m == pytest.approx(NEAR, abs=0.02)
    assert lift(depth, 33, 24).depth_m == pytest.approx(FAR, abs=0.02)


@given(st.floats(0.11, 9.9), st.sampled_from([0.0, 0.01, 30.0, np.nan, np.inf, -np.inf]))
def test_one_stray_pixel_changes_nothing(z: float, stray: float) -> None:
    depth = flat(z)
    depth[24, 32] = stray
    point = lift(depth)
    assert (point.depth_status, point.depth_m) == ("hole_filled", pytest.approx(z, rel=1e-5))
    assert point.depth_support == pytest.approx((WINDOW - 1) / WINDOW)


def test_a_stray_pixel_with_a_valid_depth_is_a_hole() -> None:
    depth = flat(FAR)
    depth[24, 32] = 0.3
    point = lift(depth)
    assert (point.depth_status, point.depth_m) == ("hole_filled", pytest.approx(FAR))


def test_a_hole_on_an_edge_is_ambiguous_and_says_how_much() -> None:
    depth = edge(32)
    depth[22:27, 31:33] = 0
    point = lift(depth)
    assert point.depth_status == "ambiguous"
    assert point.depth_m in (pytest.approx(NEAR), pytest.approx(FAR))
    assert point.cov_cam_m2 is not None
    assert np.sqrt(point.cov_cam_m2[2][2]) >= (FAR - NEAR) / 2 - 1e-6


def test_a_hole_within_a_surface_is_filled_from_it_and_not_from_behind() -> None:
    depth = edge(34)
    depth[23:26, 30:33] = np.nan
    point = lift(depth, 31, 24)
    assert (point.depth_status, point.depth_m) == ("hole_filled", pytest.approx(NEAR))


def test_the_window_widens_once() -> None:
    depth = flat(1.0)
    depth[21:28, 29:36] = 0
    point = lift(depth)
    assert (point.depth_status, point.depth_m) == ("hole_filled", pytest.approx(1.0))
    assert point.depth_support == pytest.approx(1 - WINDOW / 15**2)
    depth[15:34, 22:43] = 0
    assert lift(depth).depth_status == "none"


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_no_depth_is_no_point(nothing: float) -> None:
    point = lift(flat(nothing))
    assert point.depth_status == "none"
    for value in (point.depth_m, point.p_cam_m, point.cov_cam_m2, point.p_frame_m, point.frame):
        assert value is None


@pytest.mark.parametrize("z", [0.05, 12.0, np.inf, -np.inf, -1.0])
def test_out_of_range_says_so(z: float) -> None:
    point = lift(flat(z))
    assert (point.depth_status, point.depth_m, point.p_cam_m) == ("out_of_range", None, None)


def test_a_far_background_is_not_the_thing_in_front_of_it() -> None:
    depth = np.where(np.arange(WIDTH) < 32, NEAR, 15.0) * np.ones((HEIGHT, 1))
    assert lift(depth, 33, 24).depth_status == "out_of_range"
    assert lift(depth, 33, 24, max_m=20).depth_m == pytest.approx(15)


def test_what_the_frame_lacks_stays_none() -> None:
    no_depth = lift_point(Frame(RGB, None, CAMERA), (0.5, 0.5), score=0.9)
    assert (no_depth.depth_status, no_depth.p_cam_m, no_depth.score) == ("none", None, 0.9)
    no_camera = lift_point(Frame(RGB, flat(1.0)), (0.5, 0.5))
    assert (no_camera.depth_status, no_camera.p_cam_m) == ("ok", None)
    off_image = lift_point(Frame(RGB, flat(1.0), CAMERA), (1.1, 0.5))
    assert (off_image.depth_status, off_image.p_cam_m) == ("none", None)


def test_a_pixel_without_a_frame_is_lifted_the_same() -> None:
    depth = flat(1.2)
    point = lift(depth, 10.25, 30.5)
    assert lift_pixel(depth, CAMERA, (10.25, 30.5)) == point
    posed_nowhere = lift_pixel(depth, replace(CAMERA, T_world_cam=None), (10.25, 30.5))
    assert posed_nowhere == replace(point, frame=None, p_frame_m=None)


@given(seeds, st.sampled_from([0.0, 0.3, 0.7, 0.95]))
def test_many_pixels_are_lifted_as_each_alone(seed: int, holes: float) -> None:
    rng = np.random.default_rng(seed)
    depth = edge(32) + rng.normal(0, 0.003, (HEIGHT, WIDTH))
    depth[rng.random(depth.shape) < holes] = rng.choice([0, np.nan, np.inf, 0.01, 30])
    uv = rng.uniform((-3, -3), (WIDTH + 2, HEIGHT + 2), (12, 2))
    many = lift_pixels(depth, CAMERA, uv)
    for row, pixel in enumerate(uv):
        alone = lift_pixel(depth, CAMERA, (pixel[0], pixel[1]))
        assert DEPTH_STATUSES[many.status[row]] == alone.depth_status
        assert many.support[row] == alone.depth_support
        point = (np.nan,) * 3 if alone.p_cam_m is None else alone.p_cam_m
        np.testing.assert_allclose(many.p_cam_m[row], point, rtol=1e-12)
        covariance = np.full((3, 3), np.nan) if alone.cov_cam_m2 is None else alone.cov_cam_m2
        np.testing.assert_allclose(many.cov_cam_m2[row], covariance, rtol=1e-9)


@given(seeds, st.integers(1, 41), st.sampled_from([0.0, 0.3, 0.7, 0.95]))
def test_pixels_measured_in_pieces_are_those_measured_at_once(
    seed: int, piece: int, holes: float
) -> None:
    rng = np.random.default_rng(seed)
    depth = edge(32) + rng.normal(0, 0.003, (HEIGHT, WIDTH))
    depth[rng.random(depth.shape) < holes] = rng.choice([0, np.nan, np.inf, 0.01, 30])
    uv = rng.integers((0, 0), (WIDTH, HEIGHT), (40, 2))
    whole = measure_depths(depth, uv, LiftOptions())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(depth_window, "_PIECE", piece)
        pieces = measure_depths(depth, uv, LiftOptions())
    for name in ("status", "depth_m", "sigma_m", "support"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))


def test_a_whole_image_is_measured_within_little_memory() -> None:
    depth = np.random.default_rng(0).uniform(0.5, 0.6, (120, 160)).astype(np.float32)
    depth[:, 80:] = 0  # there the wider windows are looked at, too
    v, u = np.mgrid[:120, :160]
    tracemalloc.start()
    try:
        measured = measure_depths(depth, np.column_stack([u.ravel(), v.ravel()]), LiftOptions())
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(measured.status) == 120 * 160
    assert peak_bytes < 48e6


@pytest.mark.parametrize(
    ("model", "distortion"),
    [("plumb_bob", (0.1, -0.2, 0.002, 0.001, 0.05)), ("equidistant", (0.05, 0.01, 0.0, 0.0))],
)
def test_rays_turn_with_their_pixels_through_a_lens(
    model: str, distortion: tuple[float, ...]
) -> None:
    camera = replace(CAMERA, distortion_model=model, distortion=distortion)
    uv = np.random.default_rng(0).uniform((5, 5), (WIDTH - 5, HEIGHT - 5), (20, 2))
    slopes = ray_slopes(rays(uv, camera), camera)
    for axis in range(2):
        step = np.eye(2)[axis] * 1e-3
        seen = (rays(uv + step, camera) - rays(uv - step, camera)) / 2e-3
        np.testing.assert_allclose(slopes[:, :, axis], seen[:, :2], rtol=1e-3, atol=1e-7)


def test_no_pixels_are_no_points() -> None:
    assert lift_pixels(flat(1.0), CAMERA, []).p_cam_m.shape == (0, 3)


def test_a_lone_valid_pixel_in_a_corner_is_no_surface() -> None:
    depth = flat(0.0)
    depth[0, 0] = 1.0
    assert lift(depth, 0, 0, min_support=0.05).depth_status == "none"


def test_a_pixel_that_no_ray_reaches_has_depth_but_no_point() -> None:
    camera = replace(CAMERA, distortion_model="plumb_bob", distortion=(-2.0, 0, 0, 0, 0))
    point = lift_pixel(flat(1.2), camera, (0, 0))
    assert (point.depth_status, point.p_cam_m, point.cov_cam_m2) == ("ok", None, None)


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
def test_corners_are_lifted(corner: tuple[float, float]) -> None:
    point = lift_point(Frame(RGB, flat(1.0), CAMERA), corner)
    assert (point.depth_status, point.depth_m) == ("ok", pytest.approx(1))


def test_pixels_of_the_image() -> None:
    assert nearest_pixel(-0.5, -0.5, 4, 3) == (0, 0)
    assert nearest_pixel(3.5, 2.5, 4, 3) == (3, 2)
    assert nearest_pixel(0.5, 1.49, 4, 3) == (1, 1)
    assert nearest_pixel(-0.51, 0, 4, 3) is None
    assert nearest_pixel(float("nan"), 0, 4, 3) is None


@given(st.floats(0, WIDTH - 1), st.floats(0, HEIGHT - 1), st.floats(0.2, 5))
def test_covariance_is_that_of_samples(u: float, v: float, z: float) -> None:
    seen = rays([(u, v)], CAMERA)
    covariance = point_covariances(CAMERA, seen, np.array([z]), np.array([0.02]), 1.0)[0]
    rng = np.random.default_rng(0)
    uv = rng.normal((u, v), 1.0, (4000, 2))
    samples = rays(uv, CAMERA) * rng.normal(z, 0.02, (4000, 1))
    np.testing.assert_allclose(covariance, np.cov(samples.T), atol=0.15 * np.trace(covariance))
    assert (np.linalg.eigvalsh(covariance) > 0).all()


@pytest.mark.parametrize(
    "options",
    [
        {"window_px": 4},
        {"window_px": 1},
        {"min_m": 0},
        {"min_m": 2, "max_m": 1},
        {"max_m": np.nan},
        {"min_support": 0},
        {"edge_gap_m": 0},
        {"pixel_sigma_px": -1},
    ],
)
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(RoboReferError) as caught:
        LiftOptions(**options)  # type: ignore[arg-type]
    assert caught.value.code is ErrorCode.BAD_REQUEST
