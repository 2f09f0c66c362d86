"""Grids and tiles against the table that the released code was recorded making, and by rule."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nvila_fixture import fixture_root

from robo_refer.tiling import TilingSpec, cut_tiles, tile_pixels

DYNAMIC = TilingSpec("dynamic", tile_px=448, tile_tokens=121)
S2 = TilingSpec("dynamic_s2", tile_px=448, tile_tokens=256, scales_px=(448, 896, 1344))
SIDES = st.integers(16, 5000)


def test_grids_are_the_released_ones() -> None:
    rows = json.loads((fixture_root() / "tiling_table.json").read_text())["rows"]
    assert len(rows) > 50
    for row in rows:
        columns, lines = row["dynamic_cols_rows"]
        assert DYNAMIC.grid(*row["size_wh"]) == (lines, columns)
        assert list(S2.grid(*row["size_wh"])) == row["s2_block_size_rows_cols"]


@given(SIDES, SIDES)
def test_no_other_grid_is_nearer_in_aspect(width: int, height: int) -> None:
    for spec, lowest in ((DYNAMIC, 1), (S2, 9)):
        rows, columns = spec.grid(width, height)
        assert lowest <= rows * columns <= 12
        distances = [
            abs(width / height - c / r)
            for c in range(1, 13)
            for r in range(1, 13)
            if lowest <= c * r <= 12
        ]
        assert abs(width / height - columns / rows) == min(distances)


@pytest.mark.parametrize(("spec", "count"), [(DYNAMIC, 13), (S2, 17)])
def test_an_image_of_one_colour_gives_tiles_of_it(spec: TilingSpec, count: int) -> None:
    image = np.full((120, 160, 3), (10, 128, 255), np.uint8)
    tiles = cut_tiles(image, spec)
    assert tiles.shape == (count, 448, 448, 3)
    assert (tiles == image[0, 0]).all()
    expected = (np.array([10, 128, 255]) / 255 - 0.5) / 0.5
    np.testing.assert_allclose(tile_pixels(tiles)[-1, :, 0, 0], expected, atol=1e-6)


def test_tiles_stand_in_reading_order_and_the_whole_comes_last() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:160, :160] = 255  # the first of 3 x 4 tiles
    bright = cut_tiles(image, DYNAMIC).mean(axis=(1, 2, 3)) > 100
    assert bright.tolist() == [True] + [False] * 12
    assert cut_tiles(image, DYNAMIC)[-1, 0, 0, 0] == 255


def test_the_spec_survives_json() -> None:
    for spec in (DYNAMIC, S2):
        assert TilingSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec
    with pytest.raises(TypeError):
        TilingSpec.from_dict({**DYNAMIC.as_dict(), "colour": 1})
