"""Plain fine-tuning of a checkpoint, and where its rows come from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from robo_refer.errors import RoboReferError
from robo_refer_train import words
from robo_refer_train.config import SftConfig, StageConfig
from robo_refer_train.sources import MixedSource, StreamSource, TableSource, load_table, open_source


@pytest.fixture
def config(tiny_config: SftConfig, policy: Path, tmp_path: Path) -> SftConfig:
    stages = (
        StageConfig("align", 2, 4, "depth_projector", depth_share=1.0, warmup_steps=1),
        StageConfig("full", 4, 4, "language", both_views=True, warmup_steps=1),
    )
    return replace(
        tiny_config,
        objective="words",
        start_from=str(policy),
        output=str(tmp_path / "run"),
        stages=stages,
        save_steps=2,
        report_to=(),
    )


def _changed(before: Path, after: Path) -> set[str]:
    old, new = (load_file(folder / "model.safetensors") for folder in (before, after))
    return {name for name in new if not torch.equal(old[name], new[name])}


def test_stages_train_what_they_say(config: SftConfig, policy: Path) -> None:
    final = words.run(config)
    assert {
        name.split(".")[1] for name in _changed(policy, Path(config.output) / "align/final")
    } == {"depth_projector"}
    moved = _changed(policy, final)
    assert any(name.startswith("model.language_model.") for name in moved)
    assert not any("tower" in name for name in moved)


def test_adapters_are_merged_and_touch_the_decoder_only(config: SftConfig, policy: Path) -> None:
    adapted = replace(config, stages=config.stages[1:], lora_rank=2, images_per_pass=2)
    moved = _changed(policy, words.run(adapted))
    assert moved
    assert all("language_model.layers" in name and "_proj" in name for name in moved)


def test_both_views_show_every_sample_without_and_with_depth(config: SftConfig) -> None:
    stage = config.stages[1]
    _, processor = words.load_checkpoint(Path(config.start_from))
    source = TableSource(load_table(config.data))
    rows = words.WordRows(source, processor, config, stage, seed=3)
    for draw in (0, 2):
        without, with_depth = rows[draw]["seen"], rows[draw + 1]["seen"]
        assert torch.equal(without["pixel_values"], with_depth["pixel_values"])
        assert (bool(without["depth_mask"]), bool(with_depth["depth_mask"])) == (False, True)


def test_every_pass_of_a_stream_shows_every_sample_in_another_order(discs: Path) -> None:
    stream = StreamSource(discs)
    passes = [[stream.row(k + 24 * turn, 5)["id"] for k in range(24)] for turn in range(2)]
    assert passes[0] != passes[1]
    assert sorted(passes[0]) == sorted(passes[1]) == [f"d-{k:04d}" for k in range(24)]
    assert [StreamSource(discs).row(k, 5)["id"] for k in range(24)] == passes[0]


def test_sources_are_drawn_in_their_shares(discs: Path) -> None:
    table = load_table([discs])
    few, many = TableSource(table.slice(0, 2)), TableSource(table.slice(2))
    mixed = MixedSource([few, many], [3.0, 1.0], draws=400, seed=1)
    counts = Counter(mixed.row(draw, 0)["id"] for draw in range(400))
    assert 260 < counts["d-0000"] + counts["d-0001"] < 340


def test_questions_of_weight_0_are_not_asked(config: SftConfig) -> None:
    _, processor = words.load_checkpoint(Path(config.start_from))
    weights = {"direct_colour": 0.0, "right_of": 0.0}
    source = TableSource(load_table(config.data))
    rows = words.WordRows(
        source, processor, replace(config, question_weights=weights), config.stages[0], seed=3
    )
    assert {len(rows[draw]["pairs"]) for draw in range(4)} == {1}


def test_what_cannot_be_trained_is_said_before(config: SftConfig, tmp_path: Path) -> None:
    with pytest.raises(RoboReferError, match="not in the data"):
        open_source(config.data, {"elsewhere": 1.0}, stream=False, draws=1, seed=0)
    for data, weights in (((), {}), (config.data, {config.data[0]: 0.0})):
        with pytest.raises(RoboReferError, match="no data, or all of it has weight 0"):
            open_source(data, weights, stream=False, draws=1, seed=0)
    with pytest.raises(RoboReferError, match="none is given"):
        words.run(replace(config, start_from=""))
    with pytest.raises(RoboReferError, match="no stage that trains"):
        words.run(replace(config, stages=(StageConfig("look", 1, 1, "vision"),)))
    (tmp_path / "data").mkdir()
    with pytest.raises(RoboReferError, match="BAD_FILE"):
        words.run(replace(config, data=(str(tmp_path),)))
