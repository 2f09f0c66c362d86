"""Tiles back on their map, and scales side by side."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.model.scales import cut, join_scales, stitch


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 5))
def test_cut_undoes_stitch(rows: int, columns: int, side: int) -> None:
    tiles = torch.rand(rows * columns, side * side, 3)
    image = stitch(tiles, (rows, columns))
    assert image.shape == (rows * side, columns * side, 3)
    assert torch.equal(cut(image, (rows, columns)), tiles)
    assert torch.equal(image[0, :side], tiles[0, :side])


def test_scales_of_one_scene_agree_where_they_show_the_same() -> None:
    # Every patch holds its horizontal place in the image: all scales must say the same place.
    def place(rows: int, columns: int) -> torch.Tensor:
        x = (torch.arange(columns * 4) + 0.5) / (columns * 4)
        return cut(x.expand(rows * 4, -1)[..., None], (rows, columns))

    features = torch.cat([place(1, 1), place(2, 2), place(3, 4)])
    joined = stitch(join_scales(features, (1, 2), (3, 4)), (3, 4))
    assert joined.shape == (12, 16, 3)
    assert (joined[..., :2] - joined[..., 2:]).abs().max() <= 0.5 / 4  # half a coarse patch


def test_tiles_that_do_not_fill_the_scales_are_an_error() -> None:
    with pytest.raises(RuntimeError):
        join_scales(torch.rand(16, 4, 3), (1, 2), (3, 4))
