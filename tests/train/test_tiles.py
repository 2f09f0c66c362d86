"""Checkpoints of the released layouts, whose towers see tiles, are trained like any other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import disc_sample
from nvila_fixture import KINDS, released
from policies import small_run
from safetensors.torch import load_file

from robo_refer import checkpoint_files as files
from robo_refer.data import Question, Sample, ShardWriter
from robo_refer.errors import RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.released.convert import convert
from robo_refer.model.tiled_processing import TiledProcessor
from robo_refer.types import Answer
from robo_refer_train import words
from robo_refer_train.config import SftConfig, StageConfig
from robo_refer_train.sight import DepthGuard
from robo_refer_train.sources import TableSource, load_table

POINT = Question("point", "point", -1, "the red disc", Answer(((0.341, 0.61),)), (), None)
TALK = Question("words", "words", -1, "what is there?", Answer(()), (), None, reply="a disc")


def foreign(name: str, *questions: Question) -> Sample:
    """Return a sample as RefSpatial's are: no camera, no objects, depth without a unit."""
    relative = np.tile(np.arange(128, dtype=np.uint8) * 2, (48, 1))
    rgb = np.tile(disc_sample(0).rgb, (1, 2, 1))  # wide enough for several tiles
    return Sample(name, rgb, None, None, (), questions, "foreign", relative_depth=relative)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("foreign")
    with ShardWriter(folder) as writer:
        writer.write(foreign("f-0", POINT, TALK))
        writer.write(foreign("f-1", TALK))
    return folder


def config_of(kind: str, data: Path, folder: Path) -> SftConfig:
    """Return a run of one step on a small released checkpoint; few tiles are enough for a test."""
    convert(released(kind), folder / "converted")
    tiling = folder / "converted" / files.TILING
    fields = json.loads(tiling.read_text())
    if fields["tiling"] == "dynamic":
        tiling.write_text(json.dumps({**fields, "max_tiles": 2}))
    return SftConfig(
        data=(str(data),),
        output=str(folder / "run"),
        stages=(StageConfig("full", 1, 2, "all", both_views=True, warmup_steps=0),),
        questions_per_image=2,
        start_from=str(folder / "converted"),
        objective="words",
        images_per_pass=1,
        report_to=(),
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_part_learns_from_tiles(kind: str, data: Path, tmp_path: Path) -> None:
    config = replace(config_of(kind, data, tmp_path), bf16=True, gradient_checkpointing=True)
    final = words.run(config)
    before, after = (
        load_file(folder / "model.safetensors") for folder in (Path(config.start_from), final)
    )
    moved = {name.split(".")[1] for name in after if not torch.equal(before[name], after[name])}
    parts = {"vision_tower", "depth_tower", "vision_projector", "depth_projector", "language_model"}
    assert parts <= moved
    _, processor = load_checkpoint(final)
    assert isinstance(processor, TiledProcessor)


def rows_of(config: SftConfig) -> words.WordRows:
    _, processor = load_checkpoint(Path(config.start_from))
    source = TableSource(load_table(config.data))
    return words.WordRows(source, processor, config, config.stages[0], seed=0)


def test_rows_of_a_foreign_dataset(data: Path, tmp_path: Path) -> None:
    """Points without a mask are learnt, as they are written; words are not; depth has no unit."""
    rows = rows_of(config_of("lite2b", data, tmp_path))
    for draw in range(4):
        row = rows[draw]
        ((prompt, answer),) = row["pairs"]
        assert rows.processor.tokenizer.decode(answer) == "[(0.341, 0.610)]<|im_end|>"
        assert ("depth_values" in row["seen"]) == bool(draw % 2)
        assert "the red disc" in rows.processor.tokenizer.decode(prompt.question)
    near, far = rows[1]["seen"]["depth_values"][0, 0, 200, [440, 5]].tolist()
    assert near > far + 0.8  # right is bright, and bright is near


@pytest.mark.parametrize("kind", KINDS)
def test_a_prompt_has_a_place_for_every_feature(kind: str, data: Path, tmp_path: Path) -> None:
    """It is written without cutting a tile, and fits the tiles, also of depth of another size."""
    model, processor = load_checkpoint(Path(config_of(kind, data, tmp_path).start_from))
    rgb, depth_m = np.zeros((48, 128, 3), np.uint8), np.full((64, 64), 0.7, np.float32)
    seen = processor.pixels([rgb], [depth_m])
    assert seen["image_grids"].tolist() != seen["depth_grids"].tolist()
    with torch.no_grad():
        features, _ = model.model.image_tokens(seen["pixel_values"], seen["image_grids"])
        depth_features, _ = model.model.depth_tokens(seen["depth_values"], seen["depth_grids"])
    for depth, count in ((None, 0), (depth_m, depth_features[..., 0].numel())):
        ids = processor.prompt("the red disc", rgb, depth)
        assert ids.count(model.config.image_token_id) == features[..., 0].numel()
        assert ids.count(model.config.depth_token_id) == count


def test_a_picture_is_cut_once_however_much_is_asked_about_it(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [replace(POINT, text=f"the disc {k}") for k in range(5)]
    with ShardWriter(tmp_path / "asked") as writer:
        writer.write(foreign("f-0", *questions))
    config = replace(config_of("lite2b", tmp_path / "asked", tmp_path), questions_per_image=5)
    rows, cut = rows_of(config), []
    tile = rows.processor.tile
    monkeypatch.setattr(rows.processor, "tile", lambda picture: cut.append(1) or tile(picture))
    assert len(rows[0]["pairs"]) == 5
    assert len(cut) == 1


def test_depth_of_which_nothing_is_measured_is_none(tmp_path: Path) -> None:
    sample = disc_sample(0)
    with ShardWriter(tmp_path / "holes") as writer:
        writer.write(sample)
        writer.write(replace(sample, id="d-holes", depth_m=np.zeros_like(sample.depth_m)))
    rows = rows_of(config_of("lite2b", tmp_path / "holes", tmp_path))
    seen = [rows[draw]["seen"] for draw in range(4)]
    assert sum("depth_values" in part for part in seen) == 1


def test_the_guard_counts_depth_maps_and_not_their_tiles(data: Path, tmp_path: Path) -> None:
    model, processor = load_checkpoint(Path(config_of("lite2b", data, tmp_path).start_from))
    guard, sample = DepthGuard([model]), foreign("f", POINT)
    depth = np.repeat(sample.relative_depth[..., None], 3, axis=2)
    seen = processor(images=[sample.rgb] * 2, depth=[depth, None], text=["it"] * 2)
    assert len(seen["depth_values"]) > 1
    with torch.no_grad(), guard.expects(1):
        model(**seen)
    with pytest.raises(RoboReferError, match="saw 1 depth maps where the data has 2"):  # noqa: SIM117
        with torch.no_grad(), guard.expects(2):
            model(**seen)


def test_data_without_points_is_said(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "talk") as writer:
        writer.write(foreign("f-0", TALK))
    rows = rows_of(config_of("lite2b", tmp_path / "talk", tmp_path))
    with pytest.raises(RoboReferError, match="answered by pointing"):
        rows[0]


@pytest.mark.slow
def test_reinforcement_on_tiles(discs: Path, tmp_path: Path) -> None:
    from robo_refer_train import rft

    start = config_of("lite2b", discs, tmp_path).start_from
    config = small_run(
        discs, Path(start), tmp_path / "rft", steps=1, prompts_per_step=2, group_size=2,
        trainable="language", lora_rank=2, beta=0.04, save_steps=1,
        rewards={"outcome_format": 1.0},
    )  # fmt: skip
    final = rft.run(config)
    assert isinstance(load_checkpoint(final)[1], TiledProcessor)
