"""What makes a model fit into memory changes nothing else: bfloat16, recomputing, passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from policies import history, small_run, small_trainer
from safetensors.torch import load_file
from torch import nn
from transformers.models.qwen2.modeling_qwen2 import Qwen2Attention

from robo_refer_train import sft, words
from robo_refer_train.config import SftConfig, StageConfig

STAGE = StageConfig("full", 2, 4, "all", both_views=True, warmup_steps=1)


@contextmanager
def decoder_layers() -> Iterator[list[torch.dtype]]:
    """Collect the type that every pass through the attention of a decoder layer computes in."""
    seen: list[torch.dtype] = []

    def note(module: nn.Module, args: Any, output: Any) -> None:
        if isinstance(module, Qwen2Attention):
            seen.append(output[0].dtype)

    hook = nn.modules.module.register_module_forward_hook(note)
    try:
        yield seen
    finally:
        hook.remove()


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def apart(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """Return the largest difference of two runs' weights, which are kept in float32."""
    assert {tensor.dtype for tensor in (*first.values(), *second.values())} == {torch.float32}
    return max(float((first[name] - second[name]).abs().max()) for name in first)


@pytest.fixture(params=["nano", "words"])
def run(
    request: pytest.FixtureRequest, tiny_config: SftConfig, policy: Path, tmp_path: Path
) -> Any:
    """Return a function that trains two steps with some options; it gives back what was trained."""
    base = replace(tiny_config, stages=(STAGE,), report_to=(), objective=request.param)
    if request.param == "words":
        base = replace(base, start_from=str(policy))
    module = words if request.param == "words" else sft

    def trained(**options: Any) -> dict[str, torch.Tensor]:
        output = tmp_path / "_".join(["run", *options])
        return weights(module.run(replace(base, output=str(output), **options)))

    return trained


def test_supervised_recomputing_ends_the_same(run: Any) -> None:
    with decoder_layers() as once:
        plain = run()
    with decoder_layers() as twice:
        recomputed = run(gradient_checkpointing=True)
    assert len(twice) == 2 * len(once)
    assert apart(plain, recomputed) < 1e-6


def test_supervised_bfloat16_computes_in_it_and_keeps_weights_in_float32(run: Any) -> None:
    plain = run()
    with decoder_layers() as seen:
        half = run(bf16=True, gradient_checkpointing=True)
    assert set(seen) == {torch.bfloat16}
    assert 0 < apart(plain, half) < 0.02


def test_a_batch_in_several_passes_is_the_same_batch(
    tiny_config: SftConfig, policy: Path, tmp_path: Path
) -> None:
    """Passes have answers of different lengths: every word counts once, whatever pass it is in."""
    stage = replace(STAGE, steps=1, batch_images=6, warmup_steps=0)
    base = replace(tiny_config, objective="words", start_from=str(policy), report_to=())
    logged = []
    for passes in (0, 1):
        output = tmp_path / f"run{passes}"
        words.run(
            replace(
                base,
                output=str(output),
                stages=(stage,),
                images_per_pass=passes,
                questions_per_image=2,
            )
        )
        state = json.loads((output / "full" / "checkpoint-1" / "trainer_state.json").read_text())
        logged.append([state["log_history"][0][name] for name in ("loss", "grad_norm")])
    assert logged[0] == pytest.approx(logged[1], rel=1e-4)


def test_a_checkpoint_in_bfloat16_is_trained_in_float32(
    tiny_config: SftConfig, policy: Path, tmp_path: Path
) -> None:
    """At the rates of the 2B a step is smaller than what bfloat16 tells apart."""
    model, processor = words.load_checkpoint(policy)
    stored = tmp_path / "stored"
    model.to(torch.bfloat16).save_pretrained(stored)
    processor.save_pretrained(stored)
    stage = replace(STAGE, learning_rate=2e-5)
    config = replace(
        tiny_config, objective="words", start_from=str(stored), stages=(stage,), report_to=()
    )
    before, after = weights(stored), weights(words.run(config))
    # A learnt word's row moves by about the rate, which for 1.0 is a hundredth of bfloat16's step.
    still = [name for name, old in before.items() if torch.equal(old.float(), after[name])]
    assert still == []


@pytest.mark.parametrize("half", [False, True], ids=["float32", "bfloat16"])
def test_reinforcement_recomputing_learns_the_same(
    discs: Path, policy: Path, tmp_path: Path, half: bool
) -> None:
    losses, passes = [], []
    for recompute in (False, True):
        config = small_run(
            discs, policy, tmp_path, steps=2, bf16=half, gradient_checkpointing=recompute
        )
        trainer = small_trainer(config)
        with decoder_layers() as seen:
            trainer.train()
        assert set(seen) == {torch.bfloat16 if half else torch.float32}
        assert {p.dtype for p in trainer.model.parameters()} == {torch.float32}
        losses.append(history(trainer, "grad_norm"))
        passes.append(len(seen))
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert passes[1] > passes[0]
