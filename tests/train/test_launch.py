"""Launching on several processes: the configs that ship, and weights that are split."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate.commands.config.config_args import load_config_from_file
from safetensors.torch import load_file
from split import NEEDS_DEEPSPEED, launcher

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer_train import rft, sft, words
from robo_refer_train.config import SftConfig, StageConfig, load_config, save_config
from robo_refer_train.continual import load_continual_config
from robo_refer_train.rft_config import RftConfig, load_rft_config
from robo_refer_train.sight import DepthAlways

CHECKOUT = Path(__file__).parents[2]
CONFIGS = CHECKOUT / "train" / "configs"
LAUNCHERS = sorted((CONFIGS / "accelerate").glob("*.yaml"))


@pytest.mark.parametrize("path", LAUNCHERS, ids=lambda path: path.stem)
def test_accelerate_reads_the_launchers_that_ship(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert (config.num_machines, config.num_processes, config.mixed_precision) == (1, 8, "bf16")
    if path.stem == "fsdp":
        assert config.distributed_type == "FSDP"
        names = config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"].split(",")
        assert names == ["Qwen2DecoderLayer", "SiglipEncoderLayer"]
    else:
        assert config.distributed_type == "DEEPSPEED"
        assert config.deepspeed_config["zero_stage"] == int(path.stem.removeprefix("zero"))


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_config_that_ships_is_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The large ones also fit the eight processes of their launchers."""
    if "continual" in path.stem:
        load_continual_config(path)
    elif "rft" in path.stem:
        if path.stem[0] in "28":
            monkeypatch.setenv("WORLD_SIZE", "8")
        config = load_rft_config(path)
        rft.check(config)
        processes = int(os.environ.get("WORLD_SIZE", "1"))
        assert config.prompts_per_step % (processes * max(1, config.prompts_per_pass)) == 0
    else:
        settings = load_config(path)
        if settings.objective == "nano":
            sft.check(settings)
            return
        processes = 1 if "lora" in path.stem else 8
        for stage in settings.stages:
            assert stage.batch_images % (settings.images_per_pass * processes) == 0
        words.check(replace(settings, start_from="CONVERTED"))


PLAIN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--module")


def two_processes(config: Path, *program: str) -> None:
    """Run `robo-refer train sft` by a launcher and the name of our command to it."""
    paths = [str(CHECKOUT / name) for name in (".", "train")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*paths, *sys.path]),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [sys.executable, *program, "train", "sft", "--config", str(config)],
        env=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "rank"),
    [
        pytest.param((*PLAIN, "robo_refer.cli.main"), 0, id="whole weights"),
        pytest.param(launcher("fsdp.yaml"), 0, id="split weights"),
        pytest.param(launcher("fsdp.yaml"), 2, id="adapters on split weights"),
        pytest.param(launcher("zero2.yaml"), 0, id="ZeRO-2", marks=NEEDS_DEEPSPEED),
        pytest.param(launcher("zero3.yaml"), 0, id="ZeRO-3", marks=NEEDS_DEEPSPEED),
        pytest.param(launcher("zero3.yaml"), 2, id="adapters by ZeRO-3", marks=NEEDS_DEEPSPEED),
    ],
)
def test_two_processes_end_like_one(
    tiny_config: SftConfig, policy: Path, tmp_path: Path, program: tuple[str, ...], rank: int
) -> None:
    """One process sees RGB alone and the other RGB-D, pass by pass: neither waits for ever."""
    full = StageConfig("full", 2, 4, "language" if rank else "all", both_views=True, warmup_steps=0)
    align = StageConfig("align", 1, 4, "depth_projector", depth_share=1.0, warmup_steps=0)
    config = replace(
        tiny_config,
        objective="words",
        start_from=str(policy),
        output=str(tmp_path / "two"),
        stages=(align, full),
        images_per_pass=1,
        lora_rank=rank,
        gradient_checkpointing=True,
        report_to=(),
    )
    save_config(config, tmp_path / "run.yaml")
    two_processes(tmp_path / "run.yaml", *program)
    alone = words.run(replace(config, output=str(tmp_path / "one")))
    for place in ("align/checkpoint-1", "full/checkpoint-2"):
        one, two = (logged(tmp_path / run / place) for run in ("one", "two"))
        assert two == pytest.approx(one, rel=1e-3)
    start, one, two = (
        load_file(folder / "model.safetensors")
        for folder in (policy, alone, tmp_path / "two" / "final")
    )
    assert one.keys() == two.keys()
    moved = {name for name in one if not torch.equal(start[name], two[name])}
    assert any("depth_projector" in name for name in moved)
    assert any("language_model" in name for name in moved)
    # Not every number: AdamW's first steps are signs, and those of rounding may be either.
    close = torch.cat([torch.isclose(one[n], two[n], atol=1e-5).flatten() for n in one])
    assert close.float().mean() > 0.95
    load_checkpoint(tmp_path / "two" / "final")


def logged(checkpoint: Path) -> list[float]:
    """Return losses and norms of gradients, step by step."""
    history = json.loads((checkpoint / "trainer_state.json").read_text())["log_history"]
    return [entry[name] for entry in history for name in ("loss", "grad_norm")]


def test_a_pass_without_depth_runs_the_depth_half_for_nothing(
    policy: Path, tiny_config: SftConfig
) -> None:
    config = replace(tiny_config, objective="words", start_from=str(policy))
    model, processor = load_checkpoint(policy)
    stage = StageConfig("full", 1, 2, both_views=True)
    source = words.open_source(config.data, {}, stream=False, draws=2, seed=0)
    batch = words.collate([words.WordRows(source, processor, config, stage, seed=0)[0]])
    assert not batch["depth_mask"].any()
    plain = model(**batch)
    DepthAlways(model)
    hooked = model(**batch)
    assert torch.equal(plain.logits, hooked.logits)
    hooked.loss.backward()
    depth = [p for name, p in model.named_parameters() if "depth_tower.layers" in name]
    assert depth
    assert all(p.grad is not None and not p.grad.any() for p in depth)


@pytest.mark.parametrize(
    ("name", "value"),
    [("ACCELERATE_USE_FSDP", "true"), ("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")],
)
def test_reinforcement_refuses_split_weights(
    name: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(RoboReferError, match="whole weights") as caught:
        rft.run(RftConfig(("data",), str(tmp_path), "policy", report_to=()))
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_nano_is_trained_by_one_process(
    tiny_config: SftConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RoboReferError, match="one process"):
        sft.run(replace(tiny_config, report_to=()))
    assert not Path(tiny_config.output).exists()
