"""Our listener's buffer: the values of tf2, and its limits in time."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray
from robo_refer_ros.transforms.buffer import LookupFailedError, TransformBuffer
from scipy.spatial.transform import Rotation, Slerp

from robo_refer.geometry import compose, from_quaternion, invert

S = 10**9
NOW = 1_790_000_000 * S
Array = NDArray[np.float64]


def random_pq(rng: np.random.Generator) -> Array:
    quaternion = rng.normal(size=4)
    return np.concatenate([rng.uniform(-2, 2, 3), quaternion / np.linalg.norm(quaternion)])


def matrix(pq: Array) -> Array:
    return from_quaternion(pq[[4, 5, 6, 3]], pq[:3])


IDENTITY = np.array([0, 0, 0, 1.0, 0, 0, 0])


@pytest.mark.parametrize("seed", range(20))
def test_chains_up_and_down(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b, c = (random_pq(rng) for _ in range(3))
    buffer = TransformBuffer(10.0)
    buffer.add("map", "base", NOW, a)
    buffer.add("base", "camera", 0, b, static=True)
    buffer.add("map", "table", NOW, c)
    found = buffer.lookup("table", "camera", NOW)
    np.testing.assert_allclose(found, compose(invert(matrix(c)), matrix(a), matrix(b)), atol=1e-9)
    np.testing.assert_allclose(buffer.lookup("camera", "table", NOW), invert(found), atol=1e-9)
    np.testing.assert_allclose(buffer.lookup("map", "map", NOW), np.eye(4))


@pytest.mark.parametrize("seed", range(20))
def test_between_two_moments(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = random_pq(rng), random_pq(rng)
    buffer = TransformBuffer(10.0)
    buffer.add("map", "base", NOW, first)
    buffer.add("map", "base", NOW + S, second)
    share = float(rng.uniform())
    found = buffer.lookup("map", "base", NOW + round(share * S))
    turn = Slerp([0, 1], Rotation.from_quat([first[[4, 5, 6, 3]], second[[4, 5, 6, 3]]]))
    np.testing.assert_allclose(found[:3, :3], turn([share]).as_matrix()[0], atol=1e-6)
    np.testing.assert_allclose(found[:3, 3], first[:3] + share * (second - first)[:3], atol=1e-6)


def test_before_the_first_and_after_the_last_there_is_none() -> None:
    buffer = TransformBuffer(10.0)
    buffer.add("map", "base", NOW, IDENTITY)
    buffer.add("map", "base", NOW + S, IDENTITY)
    with pytest.raises(LookupFailedError, match=r"known up to 0\.250 s before the image"):
        buffer.lookup("map", "base", NOW + S + S // 4)
    with pytest.raises(LookupFailedError, match=r"known from 0\.500 s after the image"):
        buffer.lookup("map", "base", NOW - S // 2)


def test_what_is_older_than_the_cache_is_forgotten() -> None:
    buffer = TransformBuffer(2.0)
    for seconds in range(6):
        buffer.add("map", "base", NOW + seconds * S, IDENTITY)
    buffer.add("map", "base", NOW, IDENTITY)  # too late
    buffer.lookup("map", "base", NOW + 3 * S)
    with pytest.raises(LookupFailedError, match=r"from 2\.000 s after"):
        buffer.lookup("map", "base", NOW + S)


def test_unknown_and_unconnected_frames() -> None:
    buffer = TransformBuffer(2.0)
    buffer.add("map", "base", 0, IDENTITY, static=True)
    buffer.add("moon", "crater", 0, IDENTITY, static=True)
    with pytest.raises(LookupFailedError, match="'nowhere' does not exist"):
        buffer.lookup("nowhere", "base", NOW)
    with pytest.raises(LookupFailedError, match="not connected"):
        buffer.lookup("crater", "base", NOW)


def test_a_frame_has_one_parent_the_last() -> None:
    buffer = TransformBuffer(2.0)
    buffer.add("left_hand", "cup", NOW, IDENTITY)
    buffer.add("right_hand", "cup", NOW, IDENTITY)
    buffer.lookup("right_hand", "cup", NOW)
    with pytest.raises(LookupFailedError):
        buffer.lookup("left_hand", "cup", NOW)


def test_a_transform_is_waited_for() -> None:
    buffer = TransformBuffer(2.0)
    late = threading.Timer(0.05, buffer.add, ("map", "base", NOW, IDENTITY))
    late.start()
    np.testing.assert_allclose(buffer.lookup("map", "base", NOW, timeout_s=20.0), np.eye(4))
    with pytest.raises(LookupFailedError):
        buffer.lookup("map", "base", NOW + S, timeout_s=0.05)


def test_clearing_keeps_what_is_static() -> None:
    buffer = TransformBuffer(2.0)
    buffer.add("map", "base", NOW, IDENTITY)
    buffer.add("base", "camera", 0, IDENTITY, static=True)
    buffer.clear()
    buffer.lookup("base", "camera", NOW)
    with pytest.raises(LookupFailedError):
        buffer.lookup("map", "base", NOW)
