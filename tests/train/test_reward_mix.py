"""How rewards are mixed, what happens when one cannot tell, and what TRL gets of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from reward_cases import POINTING, RIGHT, WRONG
from tiny_judge import save_tiny_judge

from robo_refer.cli.main import main
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards import (
    PAPER_WEIGHTS,
    REWARDS,
    Reward,
    RewardMix,
    Score,
    Truth,
    Written,
    make_mix,
    read_written,
    truth_to_json,
)
from robo_refer_train.rewards.judge.local import load_language_model
from robo_refer_train.rewards.trl_adapter import trl_reward


@dataclass(frozen=True)
class Odd(Reward):
    """Returns what it is told to, or raises it."""

    says: Any
    prepares: Exception | None = None
    name = "odd"

    def prepare(self, pairs: Sequence[tuple[Written, Truth]]) -> None:
        if self.prepares is not None:
            raise self.prepares

    def __call__(self, written: Written, truth: Truth) -> Score:
        if isinstance(self.says, Exception):
            raise self.says
        return Score(self.says, "because")


def pairs(*texts: str) -> list[tuple[Written, Truth]]:
    return [(read_written(text), POINTING) for text in texts]


def test_the_papers_mix() -> None:
    mix = RewardMix(REWARDS.values())
    mix.check(POINTING)
    right, wrong = mix(pairs(RIGHT, WRONG))
    assert right.value == pytest.approx(2.5)
    assert wrong.value == pytest.approx(1.25)  # its form is right, and its process's form
    assert list(right.parts) == list(PAPER_WEIGHTS)
    assert not mix.abstained


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Odd(None), "because"),
        (Odd(float("nan")), "not in"),
        (Odd(float("inf")), "not in"),
        (Odd(-0.1), "not in"),
        (Odd(ZeroDivisionError("oh")), "ZeroDivisionError: oh"),
        (Odd(RoboReferError(ErrorCode.BAD_SAMPLE, "No mask.", "Give one.")), "No mask."),
        (Odd(1.0, prepares=OSError("gone")), "OSError: gone"),
    ],
)
def test_one_that_cannot_tell_makes_the_answer_abstain(
    odd: Odd, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    mix = RewardMix([*REWARDS.values(), odd], {"point": 1.0, "odd": 1.0})
    with caplog.at_level(logging.WARNING):
        scores = mix(pairs(RIGHT, WRONG))
    assert [score.value for score in scores] == [None, None]
    assert scores[0].parts["point"].value == 1.0  # the others are still told
    ((name, reason), count) = mix.abstained.most_common(1)[0]
    assert (name, count) == ("odd", 2)
    assert why in reason
    assert len(caplog.records) == 1  # once, naming the item
    assert POINTING.prompt in caplog.text


def test_an_item_that_a_reward_cannot_score_abstains_and_fails_the_check() -> None:
    mix = RewardMix(REWARDS.values(), {"point_mask": 1.0, "point": 1.0})
    blind = Truth("x", (64, 48), ((0.5, 0.5),))
    with pytest.raises(RoboReferError, match="no mask"):
        mix.check(blind)
    (score,) = mix([(read_written("[(0.500, 0.500)]"), blind)])
    assert score.value is None
    assert mix.abstained.total() == 1


def test_a_reward_that_does_not_apply_is_no_part_of_the_sum() -> None:
    """A direct question has no key steps: its group is scored by the rest."""
    mix = RewardMix(REWARDS.values())
    direct = replace(POINTING, steps=())
    mix.check(direct)
    right, wrong = mix([(read_written(f"[({x}, 0.600)]"), direct) for x in ("0.400", "0.900")])
    assert (right.value, wrong.value) == (2.25, 1.25)
    assert not right.parts["process_accuracy"].applies
    assert not mix.abstained


def test_an_item_to_which_nothing_applies_is_refused() -> None:
    mix = RewardMix(REWARDS.values(), {"process_accuracy": 1.0})
    direct = replace(POINTING, steps=())
    with pytest.raises(RoboReferError, match="nothing that it reads"):
        mix.check(direct)
    (score,) = mix([(read_written(RIGHT), direct)])
    assert score.value is None


def test_a_judge_in_the_mix_has_to_be_named() -> None:
    with pytest.raises(RoboReferError, match="no judge is named"):
        make_mix({"judge": 1.0})
    assert make_mix().weights == PAPER_WEIGHTS


def test_the_rewards_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["train", "rewards"])
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == [*REWARDS, "judge"]


def test_the_documentation_has_a_row_for_every_reward() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rewards.md").read_text(encoding="utf-8")
    assert [name for name in (*REWARDS, "judge") if f"\n| `{name}` |" not in text] == []


@pytest.mark.parametrize(
    "weights", [{}, {"beauty": 1.0}, {"point": 0.0}, {"point": -1.0}, {"point": float("nan")}]
)
def test_a_mix_that_makes_no_sense_is_refused(weights: dict[str, float]) -> None:
    with pytest.raises(RoboReferError) as caught:
        RewardMix(REWARDS.values(), weights)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_trl_gets_totals_from_token_ids_and_the_means_are_logged() -> None:
    """`completions` lost their special tokens; the ids hold all of them."""
    told = {1: RIGHT, 2: WRONG}
    mix = RewardMix([*REWARDS.values(), Odd(None)])
    logged: dict[str, float] = {}
    reward = trl_reward(mix, lambda ids: "".join(told.get(number, "") for number in ids))
    values = asyncio.run(
        reward(
            prompts=["p", "p", "p"],
            completions=["[(, )]"] * 3,
            completion_ids=[[1], [2], []],
            truth=[truth_to_json(POINTING)] * 3,
            trainer_state=None,
            log_extra=None,
            log_metric=logged.__setitem__,
        )
    )
    assert values == [pytest.approx(2.5), pytest.approx(1.25), 0.0]
    assert logged["rewards/point"] == pytest.approx(1 / 3)
    assert logged["abstained/point"] == 0.0
    silent = trl_reward(RewardMix([Odd(None)], {"odd": 1.0}), lambda ids: RIGHT)
    columns = {"completion_ids": [[1]], "truth": [truth_to_json(POINTING)]}
    assert asyncio.run(silent(**columns, log_metric=logged.__setitem__)) == [None]
    assert logged["abstained/odd"] == 1.0
    assert "rewards/odd" not in logged


@dataclass(frozen=True)
class Length(Reward):
    """The more tokens the better, and no verdict on what starts with an even one."""

    name = "length"

    def __call__(self, written: Written, truth: Truth) -> Score:
        numbers = [int(word) for word in written.text.split()]
        return Score(None if numbers[0] % 2 == 0 else sum(numbers) % 10 / 10, "because")


@pytest.mark.slow
def test_trls_own_trainer_takes_the_mix_and_leaves_out_who_abstained(tmp_path: Path) -> None:
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    model, tokenizer = load_language_model(save_tiny_judge(tmp_path / "model"))
    mix = RewardMix([Length()], {"length": 2.0})
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=[trl_reward(mix, lambda ids: " ".join(map(str, ids)))],
        args=GRPOConfig(
            output_dir=str(tmp_path),
            max_steps=1,
            per_device_train_batch_size=8,
            num_generations=8,
            max_completion_length=8,
            use_cpu=True,
            report_to=[],
            logging_steps=1,
            save_strategy="no",
        ),
        train_dataset=Dataset.from_dict(
            {"prompt": ["the mug", "the box"], "truth": [truth_to_json(POINTING)] * 2}
        ),
        processing_class=tokenizer,
    )
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    trainer.train()
    log = trainer.state.log_history[0]
    assert 0 < log["abstained/length"] < 1
    assert log["abstained/length"] == mix.abstained.total() / 8
    assert log["reward"] == pytest.approx(2 * log["rewards/length"], abs=1e-6)
    assert any(not before[name].equal(tensor) for name, tensor in model.state_dict().items())


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    path = tmp_path / "answers.jsonl"
    truth = json.loads(truth_to_json(POINTING))
    lines = [{"text": text, "truth": truth} for text in (RIGHT, WRONG)]
    lines.append({"text": "[(0.500, 0.500)]", "truth": {"prompt": "the mug", "points": [[0, 0]]}})
    lines.append({"text": "[(0.400, 0.600)]", "truth": {**truth, "steps": []}})
    path.write_text("\n".join(json.dumps(line) for line in lines))
    return path


def test_reward_test_explains_every_component(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "reward-test", str(recorded)])
    shown = capsys.readouterr().out
    assert "line 1: 2.500 of 2.5" in shown
    assert "line 2: 1.250 of 2.5" in shown
    assert "line 3: abstains" in shown
    assert "line 4: 2.250 of 2.25" in shown
    assert "it has no frame in which distances are pixels" in shown
    assert "answers: 4; items with several: 1, of which earn the same" in shown
    assert shown.rstrip().endswith(": 0")


def test_reward_test_as_json_with_other_weights(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["train", "reward-test", str(recorded), "--weights", "point_mask", "2", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["answers"][0]["value"] == 2.0
    assert told["answers"][2]["value"] is None
    (component,) = told["components"]
    assert (component["name"], component["told"], component["abstained"]) == ("point_mask", 3, 1)


def test_reward_test_reads_lines_that_hold_other_ends_of_lines(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = {"prompt": "the\u2028mug", "size_px": [64, 48], "points": [[0.5, 0.5]]}
    line = {"text": "[(0.500, 0.500)]\u0085", "truth": truth}
    recorded.write_text(json.dumps(line, ensure_ascii=False) + "\n\n")
    main(["train", "reward-test", str(recorded), "--weights", "outcome_format", "1", "--json"])
    (answer,) = json.loads(capsys.readouterr().out)["answers"]
    assert answer["text"] == line["text"]


@pytest.mark.parametrize(
    "content", ["", "[1]", '{"text": "x"}', '{"text": "x", "truth": {"a": 1}}']
)
def test_reward_test_says_which_line_is_wrong(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_text(content)
    with pytest.raises(SystemExit) as ended:
        main(["train", "reward-test", str(path)])
    assert ended.value.code == 2
    assert "BAD_FILE" in capsys.readouterr().err
