"""A target that moves, is covered, taken away or leaves: followed, or lost with a reason."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import lift_pixel, px_to_norm
from robo_refer.tracking import TargetTracker, Tracked, TrackOptions
from robo_refer.types import CameraModel, Frame, ReferredPoint

WIDTH, HEIGHT = 320, 240
CAMERA = CameraModel(WIDTH, HEIGHT, 300.0, 300.0, 159.5, 119.5)
RNG = np.random.default_rng(4)
TABLE = cv2.GaussianBlur(RNG.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8), (0, 0), 2.0)
BOX = cv2.GaussianBlur(RNG.integers(0, 255, (64, 64, 3), np.uint8), (0, 0), 1.5)
TABLE_M, BOX_M, HAND_M = 1.0, 0.8, 0.5
HALF = 32


def seen(u: float, v: float, stamp_s: float, hand_u: int | None = None, box: bool = True) -> Frame:
    """Draw a textured box centred at (u, v), and a hand that covers columns up to `hand_u`."""
    rgb, depth_m = TABLE.copy(), np.full((HEIGHT, WIDTH), TABLE_M, np.float32)
    if box:
        shift = np.float64([[1, 0, u - HALF + 0.5], [0, 1, v - HALF + 0.5]])
        drawn = cv2.warpAffine(BOX, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.ones((64, 64), np.uint8), shift, (WIDTH, HEIGHT)) > 0
        rgb[inside], depth_m[inside] = drawn[inside], BOX_M
    if hand_u is not None:
        rgb[:, :hand_u], depth_m[:, :hand_u] = (200, 160, 140), HAND_M
    return Frame(rgb, depth_m, CAMERA, stamp_s)


def answered(frame: Frame, u: float, v: float) -> ReferredPoint:
    assert frame.depth_m is not None
    return lift_pixel(frame.depth_m, CAMERA, (u, v))


def follow(path: Callable[[int], Frame], count: int, options: TrackOptions) -> list[Tracked]:
    first = path(0)
    tracker = TargetTracker(first, answered(first, 160.0, 120.0), options)
    return [tracker.step(path(number)) for number in range(1, count)]


@settings(max_examples=15, deadline=None)
@given(st.floats(-4, 4), st.floats(-3, 3))
def test_it_moves_with_the_target(du: float, dv: float) -> None:
    tracks = follow(lambda n: seen(160 + du * n, 120 + dv * n, n / 30), 12, TrackOptions())
    for number, track in enumerate(tracks, start=1):
        assert track.lost is None
        assert track.point.uv_px == pytest.approx((160 + du * number, 120 + dv * number), abs=0.5)
        assert track.point.depth_m == pytest.approx(BOX_M, abs=1e-3)
        assert track.age_s == pytest.approx(number / 30)


def test_it_does_not_drift_while_nothing_moves() -> None:
    noise = np.random.default_rng(0)

    def still(number: int) -> Frame:
        frame = seen(160, 120, number / 30)
        shaken = frame.rgb.astype(np.int16) + noise.integers(-4, 5, frame.rgb.shape)
        return Frame(shaken.clip(0, 255).astype(np.uint8), frame.depth_m, CAMERA, number / 30)

    tracks = follow(still, 150, TrackOptions())
    assert tracks[-1].lost is None
    assert tracks[-1].point.uv_px == pytest.approx((160, 120), abs=1.5)
    assert not any(track.replan for track in tracks)


def test_moving_far_asks_for_a_new_answer() -> None:
    tracks = follow(lambda n: seen(160 + 3 * n, 120, n / 30), 15, TrackOptions(replan_m=0.05))
    # 3 px at 0.8 m and 300 px of focal length are 8 mm.
    assert [track.replan for track in tracks] == [number * 0.008 > 0.05 for number in range(1, 15)]


def test_what_covers_it_and_what_takes_it_away_end_the_track() -> None:
    covered = follow(lambda n: seen(160, 120, n / 30, hand_u=60 + 12 * n), 14, TrackOptions())
    taken = follow(lambda n: seen(160, 120, n / 30, box=n < 5), 8, TrackOptions())
    assert covered[0].lost is None
    assert covered[-1].lost in ("depth_jump", "too_few_features")
    assert [track.lost for track in taken[:4]] == [None] * 4
    assert taken[-1].lost in ("depth_jump", "too_few_features")
    last = next(track for track in taken if track.lost)
    assert last.point.uv_px == pytest.approx((160, 120), abs=1.0)


def test_leaving_the_view_and_growing_old_are_said() -> None:
    leaving = follow(lambda n: seen(160 + 9 * n, 120, n / 30), 20, TrackOptions(radius_px=20))
    assert leaving[-1].lost in ("left_view", "too_few_features", "depth_jump")
    old = follow(lambda n: seen(160, 120, float(n)), 5, TrackOptions(max_age_s=2.5))
    assert [track.lost for track in old] == [None, None, "too_old", "too_old"]


def test_a_view_of_another_size_is_not_the_same() -> None:
    first = seen(160, 120, 0.0)
    tracker = TargetTracker(first, answered(first, 160.0, 120.0))
    assert tracker.step(Frame(np.ascontiguousarray(first.rgb[::2, ::2]))).lost == "left_view"


def test_a_hole_in_the_depth_is_borne_for_a_while() -> None:
    def holed(number: int) -> Frame:
        frame = seen(160, 120, number / 10)
        assert frame.depth_m is not None
        if number > 2:
            frame.depth_m[80:160, 120:200] = 0
        return frame

    tracks = follow(holed, 20, TrackOptions(no_depth_s=0.5))
    lost = [track.lost for track in tracks]
    assert lost[1] is None
    hidden = tracks[3]
    assert hidden.lost is None
    assert hidden.point.depth_status == "none"
    # Nothing of an earlier frame is passed off as measured now.
    assert (hidden.point.depth_m, hidden.point.p_cam_m, hidden.point.cov_cam_m2) == (None,) * 3
    assert hidden.point.uv_norm == pytest.approx(px_to_norm(hidden.point.uv_px, WIDTH, HEIGHT))
    assert lost[-1] == "no_depth"
    assert lost.index("no_depth") == pytest.approx(7, abs=1)


def test_a_smooth_target_is_lost_at_once_and_one_without_depth_is_refused() -> None:
    plain = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    depth_m = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    frame = Frame(plain, depth_m, CAMERA)
    tracker = TargetTracker(frame, answered(frame, 160, 120))
    assert tracker.step(frame).lost == "too_few_features"
    with pytest.raises(RoboReferError) as caught:
        TargetTracker(frame, ReferredPoint((1.0, 1.0), (0.1, 0.1)))
    assert caught.value.code is ErrorCode.NO_DEPTH
