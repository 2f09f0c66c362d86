"""Masks: exact round trips, and broken encodings refused instead of crashing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from robo_refer.data import masks
from robo_refer.errors import ErrorCode, RoboReferError

shapes = st.tuples(st.integers(1, 24), st.integers(1, 24))


@given(arrays(np.bool_, shapes))
def test_round_trip_area_and_lookup(mask: Any) -> None:
    rle = masks.encode(mask)
    back = masks.decode(rle)
    assert back.dtype == np.bool_
    assert rle["size"] == list(mask.shape)
    np.testing.assert_array_equal(back, mask)
    assert masks.area(rle) == mask.sum()
    height, width = mask.shape
    for v in range(-1, height + 1):
        for u in (-1, 0, width // 2, width - 1, width):
            inside = 0 <= v < height and 0 <= u < width
            assert masks.point_in_mask(rle, u, v) == (inside and bool(mask[v, u]))


def test_any_nonzero_value_belongs_to_the_mask() -> None:
    grey = np.array([[0, 1, 255], [2, 0, 0]], np.uint8)
    np.testing.assert_array_equal(masks.decode(masks.encode(grey)), grey > 0)


GOOD = masks.encode(np.eye(4))


@pytest.mark.parametrize(
    "rle",
    [
        {},
        {"size": [4, 4]},
        {"size": [4], "counts": GOOD["counts"]},
        {"size": [0, 4], "counts": GOOD["counts"]},
        {"size": [10**6, 10**6], "counts": GOOD["counts"]},
        {"size": [2, 2], "counts": GOOD["counts"]},
        {"size": [4, 4], "counts": [1, 2, 3]},
        {"size": [4, 4], "counts": "\N{SNOWMAN}"},
        {"size": [4, 4], "counts": "o" * 500},
    ],
)
def test_broken_encodings_are_refused(rle: dict[str, Any]) -> None:
    with pytest.raises(RoboReferError) as caught:
        masks.decode(rle)
    assert caught.value.code is ErrorCode.BAD_SAMPLE


def test_only_two_dimensions_are_a_mask() -> None:
    with pytest.raises(RoboReferError):
        masks.encode(np.ones((2, 2, 3)))
