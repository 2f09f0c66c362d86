"""The peer of the tiling benchmark is what it says, and both sides agree."""

from __future__ import annotations

import numpy as np
import pytest

from robo_refer_bench import tiling_speed


def test_both_sides_give_the_same_values_and_a_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiling_speed, "PAIRS", 1)
    rgb = np.random.default_rng(0).integers(0, 256, (90, 100, 3), dtype=np.uint8)
    results = tiling_speed.measure(rgb)
    assert {name: row["tiles"] for name, row in results.items()} == {
        "2B, dynamic": 1,
        "8B, dynamic_s2": 14,
    }
    assert all(row["ratio"] > 0 for row in results.values())
    monkeypatch.setattr(tiling_speed, "tile_pixels", lambda tiles: tiles)
    with pytest.raises(AssertionError):
        tiling_speed.measure(rgb)
