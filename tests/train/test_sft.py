"""Stages train what they say, and a killed run goes on with the same losses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from robo_refer.errors import RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer_train import sft
from robo_refer_train.config import SftConfig, load_config, save_config
from robo_refer_train.dataset import CELL_PX
from robo_refer_train.nano import (
    build_model,
    build_processor,
    deepened,
    load_start,
    resampled,
)
from robo_refer_train.sources import load_table


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return RoboReferForConditionalGeneration.from_pretrained(folder).state_dict()


def _losses(folder: Path) -> list[float]:
    states = sorted(folder.glob("checkpoint-*/trainer_state.json"))
    history = json.loads(states[-1].read_text())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


def test_alignment_trains_only_the_depth_projector(tiny_config: SftConfig) -> None:
    config = replace(tiny_config, stages=tiny_config.stages[:1])
    processor = build_processor(config, load_table(config.data))
    before = build_model(config, processor.tokenizer).state_dict()
    after = _weights(sft.run(config))
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("model.depth_projector.") for name in changed)


def test_the_full_stage_trains_every_weight(tiny_config: SftConfig) -> None:
    config = replace(tiny_config, stages=tiny_config.stages[1:])
    processor = build_processor(config, load_table(config.data))
    before = build_model(config, processor.tokenizer).state_dict()
    after = _weights(sft.run(config))
    assert [name for name in after if torch.equal(before[name], after[name])] == []


def test_a_killed_run_goes_on_with_the_same_losses(
    tiny_config: SftConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(tiny_config, stages=tiny_config.stages[1:])
    whole = replace(config, output=str(tmp_path / "whole"))
    sft.run(whole)
    broken = replace(config, output=str(tmp_path / "broken"))
    steps = 0
    step = sft.StageTrainer.training_step

    def killed(self: sft.StageTrainer, *args: object, **kwargs: object) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == 5:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(sft.StageTrainer, "training_step", killed)
        with pytest.raises(KeyboardInterrupt):
            sft.run(broken)
    sft.run(broken)
    assert _losses(Path(broken.output) / "full") == pytest.approx(
        _losses(Path(whole.output) / "full"), abs=1e-5
    )
    first, second = (_weights(Path(run.output) / "final") for run in (whole, broken))
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)


def test_config_round_trips_and_rejects_unknown_names(
    tiny_config: SftConfig, tmp_path: Path
) -> None:
    path = tmp_path / "run.yaml"
    save_config(tiny_config, path)
    assert load_config(path).stages == tiny_config.stages
    path.write_text(path.read_text() + "learning_rat: 1\n")
    with pytest.raises(RoboReferError, match="learning_rat"):
        load_config(path)
    with pytest.raises(RoboReferError, match=r"nowhere.yaml cannot be read: No such file"):
        load_config(tmp_path / "nowhere.yaml")


def test_a_run_can_go_on_from_a_checkpoint(tiny_config: SftConfig, tmp_path: Path) -> None:
    first = sft.run(replace(tiny_config, stages=tiny_config.stages[1:]))
    further = replace(
        tiny_config,
        stages=tiny_config.stages[:1],
        output=str(tmp_path / "further"),
        start_from=str(first),
    )
    before, after = _weights(first), _weights(sft.run(further))
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("model.depth_projector.") for name in changed)


def test_a_run_can_keep_a_share_of_what_it_began_with(
    tiny_config: SftConfig, tmp_path: Path
) -> None:
    first = sft.run(replace(tiny_config, stages=tiny_config.stages[1:]))
    went_on = replace(tiny_config, start_from=str(first))
    began, alone, mixed = (
        _weights(final)
        for final in (
            first,
            sft.run(replace(went_on, output=str(tmp_path / "alone"))),
            sft.run(replace(went_on, output=str(tmp_path / "mixed"), start_share=0.25)),
        )
    )
    assert any(not torch.equal(began[name], alone[name]) for name in alone)
    for name, weight in mixed.items():
        torch.testing.assert_close(weight, 0.25 * began[name] + 0.75 * alone[name])


def test_a_run_can_go_on_with_a_larger_canvas(tiny_config: SftConfig, tmp_path: Path) -> None:
    """All weights are kept, and what was learnt about a place is found at that place."""
    first = sft.run(replace(tiny_config, stages=tiny_config.stages[1:]))
    width, height = (2 * side for side in tiny_config.canvas_px)
    align = replace(tiny_config.stages[0], steps=1)
    larger = replace(
        tiny_config,
        stages=(align,),
        output=str(tmp_path / "larger"),
        start_from=str(first),
        canvas_px=(width, height),
    )
    final = sft.run(larger)
    before, after = _weights(first), _weights(final)
    rows, columns = height // CELL_PX, width // CELL_PX
    for tower in ("vision_tower", "depth_tower"):
        name = f"model.{tower}.position_embedding"
        before[name] = resampled(before[name], (rows // 2, columns // 2), (rows, columns))
    other = {name for name in after if not torch.equal(before[name], after[name])}
    assert all("depth_projector" in name for name in other)
    _, processor = load_checkpoint(final)
    assert (processor.spec.width, processor.spec.height) == (width, height)
    assert processor.spec.image_tokens == width * height // 8**2 // tiny_config.merge**2


def test_a_run_can_go_on_with_a_deeper_decoder(tiny_config: SftConfig, tmp_path: Path) -> None:
    """It begins with the same answers, and its new layers learn."""
    first = sft.run(replace(tiny_config, stages=tiny_config.stages[1:]))
    deeper = replace(
        tiny_config,
        stages=tiny_config.stages[1:],
        output=str(tmp_path / "deeper"),
        start_from=str(first),
        vision={},
        depth={},
        text={"num_hidden_layers": 3},  # all else as it was
    )
    before, processor = load_checkpoint(first)
    now = load_start(deeper, processor.tokenizer).eval()
    words = torch.randint(4, len(processor.tokenizer), (2, 9))
    with torch.no_grad():
        torch.testing.assert_close(now(words).logits, before(words).logits)
    began, after = now.state_dict(), _weights(sft.run(deeper))
    assert [name for name in after if torch.equal(began[name], after[name])] == []


@pytest.mark.parametrize(
    ("before", "now", "copied"),
    [(4, 6, "011233"), (2, 3, "011"), (2, 4, "0011"), (1, 3, "000"), (3, 3, "012")],
)
def test_new_layers_follow_those_that_they_copy(before: int, now: int, copied: str) -> None:
    layer = "model.language_model.layers.{}.self_attn.{}_proj.weight"
    kinds = ("q", "o")
    weights = {
        layer.format(number, kind): torch.full((1,), number + 1.0)
        for number in range(before)
        for kind in kinds
    }
    deeper = deepened(weights, before, now)
    assert len(deeper) == now * len(kinds)
    read = [int(deeper[layer.format(number, "q")]) - 1 for number in range(now)]
    assert read == [int(number) for number in copied]
    wrote = [int(deeper[layer.format(number, "o")]) for number in range(now)]
    assert [result for result in wrote if result] == list(range(1, before + 1))


def test_a_run_can_end_with_numbers_that_float16_holds(tiny_config: SftConfig) -> None:
    final = sft.run(replace(tiny_config, half_weights=True))
    weights = _weights(final)
    assert all(weight.dtype == torch.float32 for weight in weights.values())
    assert all(torch.equal(weight, weight.half().float()) for weight in weights.values())


def test_places_are_resampled_to_where_they_are() -> None:
    rows, columns = torch.meshgrid(torch.arange(6.0), torch.arange(8.0), indexing="ij")
    places = torch.stack([rows, columns], dim=-1).reshape(1, 48, 2)
    finer = resampled(places, (6, 8), (12, 16)).reshape(12, 16, 2)
    inner = finer[3:-3, 3:-3]
    rows, columns = torch.meshgrid(torch.arange(12.0), torch.arange(16.0), indexing="ij")
    there = (torch.stack([rows, columns], dim=-1) + 0.5) / 2 - 0.5
    torch.testing.assert_close(inner, there[3:-3, 3:-3])
    assert torch.equal(resampled(places, (6, 8), (6, 8)), places)
