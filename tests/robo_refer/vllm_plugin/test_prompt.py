"""What a vLLM client sends becomes, placeholder replaced, what the released code was asked."""

from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from nvila_fixture import KINDS, cases, recorded, released

from robo_refer.model.released.layout import read_layout
from robo_refer.model.tiled_processing import TiledProcessor
from robo_refer.tiling import TilingSpec, cut_tiles
from robo_refer.vllm_plugin.prompt import message, placeholders, with_depth


@pytest.mark.parametrize("kind", KINDS)
def test_message_and_placeholders_make_the_released_text(kind: str) -> None:
    spec = read_layout(released(kind)).tiling
    text = recorded(kind)["text"]
    single = [case for case in cases(kind) if len(case.told["images"]) == 1]
    for case in single:
        tiles = len(cut_tiles(case.pictures()[0], spec))
        sent = message(text, spec, has_depth=case.has_depth)
        assert sent.count("<image>") == 1
        seen = placeholders(spec, tiles, has_depth=case.has_depth)
        assert sent.replace("<image>", seen) == case.told["user_text"]


def test_depth_is_the_fourth_channel() -> None:
    rgb, relative = np.zeros((4, 5, 3), np.uint8), np.full((4, 5), 7, np.uint8)
    packed = with_depth(rgb, relative)
    assert packed.shape == (4, 5, 4)
    assert (packed[..., 3] == 7).all()


def test_vllm_finds_the_plug_in() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    (target,) = project["entry-points"]["vllm.general_plugins"].values()
    module, function = target.split(":")
    assert callable(getattr(import_module(module), function))


def test_the_model_registers_and_imports_with_vllm() -> None:
    vllm = pytest.importorskip("vllm")
    from robo_refer.vllm_plugin import register

    register()
    assert "RoboReferForConditionalGeneration" in vllm.ModelRegistry.get_supported_archs()
    from robo_refer.vllm_plugin.model import RoboReferForVllm

    assert RoboReferForVllm.get_placeholder_str("image", 0) == "<image>"


def test_features_are_counted_by_tile_or_by_image() -> None:
    processor = TiledProcessor.__new__(TiledProcessor)
    processor.spec = TilingSpec("dynamic", 448, 121)
    assert processor.features_of((1, 2)) == [121] * 3
    processor.spec = TilingSpec("dynamic_s2", 448, 256, scales_px=(448, 896, 1344))
    assert processor.features_of((3, 4)) == [256 * 12]
