"""What `robo-refer train speed` compares: that it runs, and that both sides learn the same rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from policies import small_run

from robo_refer_train import speed
from robo_refer_train.rft_config import RftConfig

SIDES = {
    "rft": speed._our_rft,
    "rft_trl": speed._stock_rft,
    "sft": speed._our_sft,
    "sft_trl": speed._stock_sft,
}


@pytest.fixture
def config(discs: Path, policy: Path, tmp_path: Path) -> RftConfig:
    rewards = {"outcome_format": 1.0, "point_mask": 1.0}
    return small_run(discs, policy, tmp_path / "run", steps=2, save_steps=100, rewards=rewards)


def shown(trainer: Any) -> list[torch.Tensor]:
    """Return the pictures of a trainer's rows, in the order in which they are learnt from."""
    return [row["pixel_values"] for row in trainer.get_train_dataloader()]


def test_both_sides_of_rft_answer_the_same_items(config: RftConfig) -> None:
    ours, theirs = (SIDES[name](config)[0] for name in ("rft", "rft_trl"))
    assert ours.order == theirs.train_dataset["item"]
    asked = [ours.items.question(item).text for item in ours.order]
    assert [prompt[0]["content"] for prompt in theirs.train_dataset["prompt"]] == asked
    first, second = (
        [row["item"] for batch in trainer.get_train_dataloader() for row in batch]
        for trainer in (ours, theirs)
    )
    assert first == second


def test_both_sides_of_sft_see_the_same_pictures_in_the_same_order(config: RftConfig) -> None:
    """A step of stock TRL's has one question of each of more pictures."""
    ours, theirs = (torch.cat(shown(SIDES[name](config)[0])) for name in ("sft", "sft_trl"))
    assert len(theirs) == 4 * len(ours)
    assert torch.equal(ours, theirs[: len(ours)])


def test_it_runs_and_reports_what_each_side_costs(config: RftConfig) -> None:
    config = replace(config, updates_per_rollout=2)  # as in train/configs; more than the peer can
    costs = {name: speed._measured(side, config, 2) for name, side in SIDES.items()}
    assert all(cost.cpu_s > 0 and cost.pictures > 0 for cost in costs.values())
    # Discs have three questions each, fewer than are asked for.
    assert [costs[name].questions for name in SIDES] == [4, 4, 6, 8]
    assert costs["rft"].pictures < costs["rft_trl"].pictures
    # Memory is told apart only by processes of their own, which `compare` starts.
    report = speed.report({name: replace(cost, peak_mib=1.0) for name, cost in costs.items()})
    assert report.count("stock TRL") == 2
    assert "nan" not in report
