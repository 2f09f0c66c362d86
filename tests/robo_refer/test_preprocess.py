"""The depth contract: unit, polarity, holes, range, stray pixels; and the letterbox."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.preprocess import Letterbox, PreprocessSpec, depth_array, image_array

SPEC = PreprocessSpec(192, 144, 108, 108)


def ramp(height: int = 480, width: int = 640) -> np.ndarray:
    """Depth from 0.5 m at the left to 2 m at the right."""
    return np.tile(np.linspace(0.5, 2.0, width, dtype=np.float32), (height, 1))


def test_near_is_bright_and_metres_survive() -> None:
    planes = depth_array(ramp(), SPEC)
    assert planes.shape == (3, 144, 192)
    assert planes[0, 70, 3] > 0.9
    assert planes[0, 70, 188] < -0.9
    doubled = depth_array(ramp() * 2, SPEC)
    assert np.allclose(planes[0], doubled[0], atol=1e-3)
    assert (doubled[2] > planes[2] + 0.2).all()


def test_millimetres_are_not_metres() -> None:
    with pytest.raises(RoboReferError) as caught:
        depth_array(ramp() * 1000, SPEC)
    assert caught.value.code is ErrorCode.BAD_DEPTH


def test_stray_pixels_change_almost_nothing() -> None:
    clean = depth_array(ramp(), SPEC)
    dirty = ramp()
    rng = np.random.default_rng(0)
    dirty[rng.integers(0, 480, 5), rng.integers(0, 640, 5)] = 0.2
    assert np.abs(depth_array(dirty, SPEC) - clean).max() < 0.02


def test_clusters_of_stray_pixels_stay_local() -> None:
    clean = depth_array(ramp(), SPEC)
    dirty = ramp()
    dirty[100:105, 300:305] = 0.1
    change = np.abs(depth_array(dirty, SPEC) - clean)
    assert (change > 0.05).any(axis=0).sum() <= 16


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, -1.0, 1000.0])
def test_holes_are_marked_and_never_numbers(bad: float) -> None:
    depth = ramp()
    depth[100:200, 100:200] = bad
    planes = depth_array(depth, SPEC)
    assert np.isfinite(planes).all()
    assert (planes[:, 35:55, 35:55] == -1).all()
    assert planes[1, 100, 150] == 1


def test_constant_depth_makes_no_nan() -> None:
    planes = depth_array(np.full((48, 64), 1.0, np.float32), SPEC)
    assert np.isfinite(planes).all()
    assert np.ptp(planes[0]) == 0


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf, 50.0])
def test_depth_without_a_measurement_is_an_error(bad: float) -> None:
    with pytest.raises(RoboReferError) as caught:
        depth_array(np.full((48, 64), bad, np.float32), SPEC)
    assert caught.value.code is ErrorCode.BAD_DEPTH


@given(st.integers(16, 3000), st.integers(16, 3000), st.floats(0, 1), st.floats(0, 1))
def test_letterbox_round_trip(width: int, height: int, x: float, y: float) -> None:
    box = Letterbox(width, height, 192, 144)
    canvas_x, canvas_y = box.to_canvas((x, y))
    assert -1e-9 <= canvas_x <= 1 + 1e-9
    assert -1e-9 <= canvas_y <= 1 + 1e-9
    assert box.to_image((canvas_x, canvas_y)) == pytest.approx((x, y), abs=1e-9)


def test_images_and_depth_lie_on_the_same_pixels() -> None:
    rgb = np.zeros((720, 1280, 3), np.uint8)
    depth = np.full((720, 1280), 2.0, np.float32)
    rgb[200:400, 300:500] = 255
    depth[200:400, 300:500] = 1.0
    bright = image_array(rgb, SPEC)[0] > 0.5
    near = depth_array(depth, SPEC)[0] > 0.5
    assert bright.sum() > 200
    assert (bright ^ near).sum() < 0.1 * bright.sum()
