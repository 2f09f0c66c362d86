"""Parametric everyday objects. `ASSETS` is the registry; importing this package fills it."""

from robo_refer_data.assets import containers, desk, food, household, tableware, tools, toys
from robo_refer_data.assets.palette import COLOURS
from robo_refer_data.assets.spec import ASSETS, Asset, AssetSpec, Cavity, Part, Shape, build_asset

__all__ = [
    "ASSETS", "COLOURS", "Asset", "AssetSpec", "Cavity", "Part", "Shape", "build_asset",
    "containers", "desk", "food", "household", "tableware", "tools", "toys",
]  # fmt: skip
