"""Pillow is the reference: every byte of every size must be its byte.

It is asked for one pass at a time, across and then down, as its versions to 12 do by themselves;
13 takes whichever order is cheaper, and the bytes between the passes differ by it.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from robo_refer.resampling import resize_bicubic

SIDES = st.integers(1, 90)


@settings(deadline=None)
@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_every_byte_is_pillows(width: int, height: int, wide: int, tall: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    across = Image.fromarray(image).resize((wide, height), Image.Resampling.BICUBIC)
    peer = across.resize((wide, tall), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize_bicubic(image, (wide, tall)), np.asarray(peer))


@settings(deadline=None, max_examples=20)
@given(st.integers(100, 1500), st.sampled_from([448, 896, 1344, 1792]))
def test_also_at_the_sizes_of_tiles_and_in_black_and_white(before: int, after: int) -> None:
    # Edges from 0 to 255 overshoot: what is clipped must be clipped alike.
    image = np.random.default_rng(before).integers(0, 2, (40, before, 3), dtype=np.uint8) * 255
    peer = Image.fromarray(image).resize((after, 40), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(resize_bicubic(image, (after, 40)), np.asarray(peer))
