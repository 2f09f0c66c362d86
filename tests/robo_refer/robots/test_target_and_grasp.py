"""When a robot may move, and how it comes to what it grasps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import is_rigid
from robo_refer.robots.grasp import GraspOptions, grasp_poses
from robo_refer.robots.target import GuardOptions, Target, check_target

GOOD = Target((0.4, 0.1, 0.2), "ok", stamp_s=100.0)


def code_of(target: Target, now_s: float = 100.5, options: GuardOptions | None = None) -> ErrorCode:
    with pytest.raises(RoboReferError) as caught:
        check_target(target, now_s, options or GuardOptions(), "base_link")
    return caught.value.code


def test_only_measured_fresh_and_near_targets_are_reached_for() -> None:
    check_target(GOOD, 100.5, GuardOptions(), "base_link")
    check_target(replace(GOOD, depth_status="hole_filled"), 100.5, GuardOptions(), "base_link")
    for status in ("none", "out_of_range", "ambiguous", "estimated"):
        assert code_of(replace(GOOD, depth_status=status)) is ErrorCode.NO_DEPTH
    check_target(
        replace(GOOD, depth_status="ambiguous"),
        100.5,
        GuardOptions(allow_ambiguous=True),
        "base_link",
    )
    assert code_of(GOOD, now_s=103.0) is ErrorCode.STALE_IMAGE
    assert code_of(GOOD, now_s=99.0) is ErrorCode.STALE_IMAGE
    for place in ((2.0, 0.0, 0.2), (0.4, 0.1, -0.2), (float("nan"), 0.0, 0.2)):
        assert code_of(replace(GOOD, position_m=place)) is ErrorCode.OUT_OF_WORKSPACE
    assert code_of(replace(GOOD, stamp_s=float("nan"))) is ErrorCode.STALE_IMAGE
    assert code_of(replace(GOOD, frame="camera_optical_frame")) is ErrorCode.TF_ERROR


def test_impossible_limits_are_refused() -> None:
    for wrong in ({"workspace_min_m": (1.0, 0.0, 0.0)}, {"max_age_s": 0.0}):
        with pytest.raises(RoboReferError):
            GuardOptions(**wrong)


direction = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.05)


@given(direction, st.floats(-3, 3))
def test_the_tool_comes_along_the_approach_and_leaves_upwards(
    approach: tuple[float, float, float], yaw: float
) -> None:
    options = GraspOptions(approach, yaw, pregrasp_m=0.1, depth_m=0.02, retreat_m=0.15)
    poses = grasp_poses(GOOD.position_m, options)
    along = np.asarray(approach) / np.linalg.norm(approach)
    first, grasp, last = poses.T_base_pregrasp, poses.T_base_grasp, poses.T_base_retreat
    for pose in (first, grasp, last):
        assert is_rigid(pose)
        np.testing.assert_allclose(pose[:3, 2], along, atol=1e-9)
    np.testing.assert_allclose(grasp[:3, 3] - first[:3, 3], 0.12 * along, atol=1e-9)
    np.testing.assert_allclose(grasp[:3, 3] - GOOD.position_m, 0.02 * along, atol=1e-9)
    np.testing.assert_allclose(last[:3, 3] - grasp[:3, 3], [0, 0, 0.15], atol=1e-9)


def test_an_approach_from_nowhere_is_refused() -> None:
    with pytest.raises(RoboReferError):
        grasp_poses(GOOD.position_m, GraspOptions(approach=(0.0, 0.0, 0.0)))
