"""Reinforcement fine-tuning on a random policy: what it learns, sees, skips and resumes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import policies
import pytest
import torch
from policies import digits, history, small_run, small_trainer
from safetensors.torch import load_file
from split import NEEDS_DEEPSPEED, launcher

from robo_refer.errors import RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer_train import rft
from robo_refer_train.checkpoints import WHOLE_FILE, newest_whole
from robo_refer_train.grpo import RftTrainer
from robo_refer_train.rewards import MixedScore, Score

HERE = Path(policies.__file__)
PLAIN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")


def test_reward_rises(discs: Path, policy: Path, tmp_path: Path) -> None:
    config = small_run(discs, policy, tmp_path, steps=12, save_steps=100, learning_rate=1e-2)
    trainer = small_trainer(config)
    trainer.train()
    earned = history(trainer, "policy/reward")
    assert np.mean(earned[-3:]) > np.mean(earned[:3]) + 0.1


def test_a_policy_in_bfloat16_answers(discs: Path, policy: Path, tmp_path: Path) -> None:
    """DeepSpeed casts weights, and not what they see."""
    trainer = small_trainer(small_run(discs, policy, tmp_path))
    trainer.model.bfloat16()
    (group,) = trainer.sample_groups([0])
    assert len(group.answers) == 4


def test_log_probabilities_are_those_of_plain_rows(
    discs: Path, policy: Path, tmp_path: Path
) -> None:
    trainer = small_trainer(small_run(discs, policy, tmp_path))
    groups = trainer.sample_groups([0, 1, 31])
    with torch.no_grad():
        ours = trainer.log_probs_of(groups)
    place = 0
    for group in groups:
        prompt = trainer.items.prompt(group.item)
        start = [*prompt.prefix, *prompt.question]
        for answer in group.answers:
            row = torch.tensor([start + answer])
            with torch.no_grad():
                logits = trainer.model(input_ids=row, **trainer.items.pixels([prompt.image])).logits
            plain = logits[0, len(start) - 1 : -1].log_softmax(-1)
            theirs = plain.gather(1, torch.tensor(answer)[:, None])[:, 0]
            assert torch.allclose(ours[place, : len(answer)], theirs, atol=1e-4)
            place += 1


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": "gspo", "updates_per_rollout": 2, "beta": 0.05},
        {"loss": "dapo", "prompts_per_pass": 2},
    ],
    ids=["gspo twice with a reference", "dapo in two passes"],
)
def test_variants_train_the_depth_tower(
    discs: Path, policy: Path, tmp_path: Path, changes: dict
) -> None:
    trainer = small_trainer(small_run(discs, policy, tmp_path, steps=2, **changes))
    before = {name: p.clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    moved = {n for n, p in trainer.model.named_parameters() if not torch.equal(before[n], p)}
    assert any(name.startswith("model.depth_tower.") for name in moved)
    assert all(np.isfinite(history(trainer)))


@pytest.mark.parametrize("half", [False, True], ids=["float32", "stored in bfloat16"])
def test_with_adapters_the_reference_is_the_model_without_them(
    discs: Path, policy: Path, tmp_path: Path, half: bool
) -> None:
    config = small_run(
        discs, policy, tmp_path, steps=3, beta=0.1, lora_rank=2, trainable="language", bf16=half
    )
    if half:
        model, processor = load_checkpoint(policy)
        config = replace(config, start_from=str(tmp_path / "stored"))
        model.to(torch.bfloat16).save_pretrained(config.start_from)
        processor.save_pretrained(config.start_from)
    trainer = small_trainer(config, peft_config=rft._adapters(config))
    before = {name: p.clone() for name, p in trainer.model.named_parameters()}
    trainer.train()
    moved = {n for n, p in trainer.model.named_parameters() if not torch.equal(before[n], p)}
    assert moved
    assert all("lora_" in name for name in moved)
    assert trainer.ref_model is None  # no second model is held
    kl = history(trainer, "kl")
    assert kl[0] == pytest.approx(0, abs=1e-6)  # adapters start as nothing
    assert kl[-1] > 1e-6
    groups = trainer.sample_groups([0, 1])
    adapted = trainer.log_probs_of(groups)
    with torch.no_grad(), trainer.model.disable_adapter():
        reference = trainer.log_probs_of(groups)
    start = small_trainer(replace(config, beta=0.0))
    assert torch.allclose(reference, start.log_probs_of(groups), atol=1e-5)
    assert not torch.allclose(reference, adapted, atol=1e-5)


def test_frozen_towers_run_once_per_picture(discs: Path, policy: Path, tmp_path: Path) -> None:
    config = small_run(discs, policy, tmp_path, trainable="language", save_steps=100)
    trainer = small_trainer(config, remembered_pictures=100)
    towers = {n: p.clone() for n, p in trainer.model.named_parameters() if "tower" in n}
    trainer.train()
    pictures = len({trainer.items.image(item) for item in trainer.order})
    assert trainer.tower_memory.computed == 2 * pictures  # a colour image and a depth map each
    for name, parameter in trainer.model.named_parameters():
        assert name not in towers or torch.equal(towers[name], parameter)


def test_a_blind_run_is_stopped(
    discs: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = small_trainer(small_run(discs, policy, tmp_path))
    forward = trainer.model.model.forward

    def blind(**inputs: object) -> object:
        inputs["depth_values"] = None
        inputs["input_ids"] = inputs["input_ids"].masked_fill(
            inputs["input_ids"] == trainer.model.config.depth_token_id, 0
        )
        return forward(**inputs)

    monkeypatch.setattr(trainer.model.model, "forward", blind)
    with pytest.raises(RoboReferError, match="trained blind"):
        trainer.train()


def test_dead_groups_are_replaced(discs: Path, policy: Path, tmp_path: Path) -> None:
    trainer = small_trainer(small_run(discs, policy, tmp_path, steps=1, resample_rounds=2))

    def only_some(items: list[int], texts: list[str]) -> list[MixedScore]:
        scores = digits(items, texts)
        same = MixedScore(0.0, {"digits": Score(0.0, "not this one")})
        return [same if item % 3 == 2 else score for item, score in zip(items, scores, strict=True)]

    trainer._score = only_some
    trainer._pool = list(range(72))
    groups = trainer._explore([2, 5, 8, 11, 0, 1])
    living = [group.item for group in groups if not group.is_dead]
    assert {0, 1} < set(living)


def test_skipping_dead_groups_changes_no_gradient(
    discs: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gradients(skip: bool) -> dict[str, torch.Tensor]:
        config = small_run(discs, policy, tmp_path, steps=1, learning_rate=0.0)
        trainer = small_trainer(config)
        trainer._score = lambda items, texts: [
            score if item % 2 else MixedScore(0.0, score.parts)
            for item, score in zip(items, digits(items, texts), strict=True)
        ]
        if not skip:
            monkeypatch.setattr(RftTrainer, "_alive", lambda self, batch: torch.ones(16).int())
        batch = trainer._prepare_inputs([{"item": k} for k in (0, 1, 2, 3) for _ in range(4)])
        trainer.current_gradient_accumulation_steps = 1
        trainer.model.zero_grad()
        trainer._compute_loss(trainer.model, batch).backward()
        return {n: p.grad.clone() for n, p in trainer.model.named_parameters()}

    skipped, whole = gradients(True), gradients(False)
    assert all(torch.allclose(skipped[name], whole[name], atol=1e-6) for name in whole)


def test_a_half_written_checkpoint_does_not_count(tmp_path: Path) -> None:
    for step, whole in ((2, True), (10, True), (12, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"...")
        if whole:
            (folder / WHOLE_FILE).touch()
    assert newest_whole(tmp_path) == tmp_path / "checkpoint-10"
    assert newest_whole(tmp_path / "nothing") is None


def _start(data: Path, policy: Path, output: Path, *program: str | Path) -> subprocess.Popen[str]:
    parts = [sys.executable, *map(str, (*(program or (HERE,)), data, policy, output))]
    paths = [str(HERE.parents[2] / name) for name in (".", "train")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, *sys.path]),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(parts, env=environment, text=True, stderr=subprocess.PIPE)


def _logged(output: Path) -> dict[str, list[float]]:
    entries = json.loads((output / "final" / "state.json").read_text())["log_history"]
    names = ("loss", "grad_norm", "policy/digits")
    return {name: [entry[name] for entry in entries if name in entry] for name in names}


@pytest.fixture(scope="module")
def whole_run(mixed_discs: Path, policy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("whole")
    policies.main(str(mixed_discs), str(policy), str(output))
    return output


@pytest.mark.slow
def test_killed_and_started_again_it_ends_the_same(
    mixed_discs: Path, policy: Path, tmp_path: Path, whole_run: Path
) -> None:
    run = _start(mixed_discs, policy, tmp_path)
    while not (tmp_path / "checkpoint-2" / WHOLE_FILE).exists():
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.02)
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stderr.close()
    assert not (tmp_path / "final").exists()
    policies.main(str(mixed_discs), str(policy), str(tmp_path))
    whole, again = (_logged(output) for output in (whole_run, tmp_path))
    assert len(whole["loss"]) == 4
    for name, values in whole.items():
        assert again[name] == pytest.approx(values, abs=1e-6), name
    weights, resumed = (load_file(run / "final/model.safetensors") for run in (whole_run, tmp_path))
    assert all(torch.allclose(weights[name], resumed[name], atol=1e-6) for name in weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        pytest.param((*PLAIN, policies.__file__), id="whole weights"),
        pytest.param(launcher("zero2.yaml"), id="ZeRO-2", marks=NEEDS_DEEPSPEED),
    ],
)
def test_two_processes_end_like_one(
    mixed_discs: Path, policy: Path, tmp_path: Path, whole_run: Path, program: tuple[str, ...]
) -> None:
    """One process may be without depth where the other has it: neither waits for ever."""
    run = _start(mixed_discs, policy, tmp_path, *program)
    _, errors = run.communicate()
    assert run.returncode == 0, errors
    whole, shared = (_logged(output) for output in (whole_run, tmp_path))
    assert shared["policy/digits"] == pytest.approx(whole["policy/digits"], abs=1e-6)
    assert shared["grad_norm"] == pytest.approx(whole["grad_norm"], rel=1e-3)
    assert shared["loss"] == pytest.approx(whole["loss"], abs=1e-6)
