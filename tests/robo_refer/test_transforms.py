"""Rigid transforms: group laws, the quaternion convention of ROS, and bad matrices refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import compose, from_quaternion, invert, is_rigid, transform_points
from robo_refer.geometry.transforms import nearest_rigid

numbers = st.floats(-3, 3)
quaternions = arrays(np.float64, 4, elements=numbers).filter(lambda q: np.linalg.norm(q) > 0.1)
transforms = st.builds(from_quaternion, quaternions, arrays(np.float64, 3, elements=numbers))
points = arrays(np.float64, (4, 3), elements=numbers)


@given(transforms, transforms, points)
def test_group_laws(T_a_b: Any, T_b_c: Any, p_c: Any) -> None:
    assert is_rigid(T_a_b)
    np.testing.assert_allclose(compose(T_a_b, invert(T_a_b)), np.eye(4), atol=1e-9)
    T_a_c = compose(T_a_b, T_b_c)
    np.testing.assert_allclose(
        transform_points(T_a_c, p_c),
        transform_points(T_a_b, transform_points(T_b_c, p_c)),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        transform_points(invert(T_a_c), transform_points(T_a_c, p_c)), p_c, atol=1e-9
    )
    np.testing.assert_allclose(invert(T_a_c), compose(invert(T_b_c), invert(T_a_b)), atol=1e-9)


@given(quaternions)
def test_a_quaternion_and_its_negative_are_the_same_rotation(q: Any) -> None:
    np.testing.assert_allclose(
        from_quaternion(q, (0, 0, 0)), from_quaternion(-q, (0, 0, 0)), atol=1e-12
    )


def test_quaternion_order_is_x_y_z_w() -> None:
    quarter_turn_about_z = (0, 0, np.sqrt(0.5), np.sqrt(0.5))
    moved = transform_points(from_quaternion(quarter_turn_about_z, (1, 2, 3)), (1, 0, 0))
    np.testing.assert_allclose(moved, (1, 3, 3), atol=1e-12)


def test_apply_keeps_the_shape() -> None:
    assert transform_points(np.eye(4), np.zeros((2, 5, 3))).shape == (2, 5, 3)
    np.testing.assert_array_equal(compose(), np.eye(4))


def test_rounded_transforms_become_rigid_and_others_none() -> None:
    turn = from_quaternion((0.1, 0.2, 0.3, 0.9274), (1, 2, 3))
    found = nearest_rigid(np.round(turn, 4))
    assert found is not None
    assert is_rigid(found, 1e-12)
    np.testing.assert_allclose(found, turn, atol=2e-4)
    assert nearest_rigid(MIRROR) is None
    assert nearest_rigid(turn * 1.01) is None


MIRROR = np.diag([1.0, 1, -1, 1])
SCALED = np.diag([1000.0, 1000, 1000, 1])
TRANSPOSED = from_quaternion((0, 0, 0, 1), (1, 2, 3)).T


@pytest.mark.parametrize(
    "matrix", [MIRROR, SCALED, TRANSPOSED, np.eye(3), np.full((4, 4), np.nan), np.zeros((4, 4))]
)
def test_what_is_not_rigid_is_refused(matrix: Any) -> None:
    assert not is_rigid(matrix)
    for call in (invert, compose, lambda T: transform_points(T, (0, 0, 0))):
        with pytest.raises(RoboReferError) as caught:
            call(matrix)
        assert caught.value.code is ErrorCode.TF_ERROR


@pytest.mark.parametrize(
    ("quaternion", "shift"),
    [
        ((0, 0, 0, 0), (0, 0, 0)),
        ((0, 0, 0, np.nan), (0, 0, 0)),
        ((0, 0, 0, 1), (0, np.inf, 0)),
        ((0, 0, 1), (0, 0, 0)),
        ((0, 0, 0, 1), (0, 0)),
    ],
)
def test_what_is_no_pose_is_refused(quaternion: Any, shift: Any) -> None:
    with pytest.raises(RoboReferError) as caught:
        from_quaternion(quaternion, shift)
    assert caught.value.code is ErrorCode.TF_ERROR
