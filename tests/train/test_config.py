"""Configs: what is wrong with one is said in a line, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train import config as configs
from robo_refer_train import rft, sft, words
from robo_refer_train.config import (
    SftConfig,
    StageConfig,
    load_config,
    save_config,
)
from robo_refer_train.rft_config import RftConfig, load_rft_config

STAGE = "stages: [{name: a, steps: 1}]\n"


@pytest.mark.parametrize(
    ("load", "text", "said"),
    [
        (load_config, "data: [d]\noutput: o\nstages: [{name: a, steps: ten}]", "steps is 'ten'"),
        (load_config, "data: [d]\noutput: o\nstages: [{name: a, steps: true}]", "steps is True"),
        (
            load_config,
            "data: [d]\noutput: o\nstages: [{name: a, steps: 1, trainable: x}]",
            "vision",
        ),
        (load_config, f"data: d\noutput: o\n{STAGE}", "data is 'd'"),
        (load_config, f"data: [1]\noutput: o\n{STAGE}", "data is"),
        (load_config, f"data: [d]\noutput: o\ncanvas_px: [9]\n{STAGE}", "canvas_px is"),
        (load_config, f"data: [d]\noutput: o\nreport_to: wandb\n{STAGE}", "report_to is 'wandb'"),
        (load_config, f"data: [d]\noutput: o\nsource_weights: {{d: x}}\n{STAGE}", "source_weights"),
        (load_rft_config, "data: [d]\noutput: o\nstart_from: s\nlearning_rate: 1e-3", "1.0e-3"),
        (load_rft_config, "data: [d]\noutput: o\nstart_from: s\nloss: ppo", "dr_grpo"),
        (
            load_rft_config,
            "data: [d]\noutput: o\nstart_from: s\njudge: {timeout_s: x}",
            "timeout_s",
        ),
    ],
)
def test_a_value_of_another_type_is_named(
    load: Callable[[Path], Any], text: str, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(RoboReferError, match=said) as caught:
        load(path)
    assert caught.value.code is ErrorCode.BAD_FILE


@pytest.fixture(params=["nano", "words", "rft"])
def run(
    request: pytest.FixtureRequest,
    tiny_config: SftConfig,
    discs: Path,
    policy: Path,
    tmp_path: Path,
) -> Callable[..., None]:
    """Return a function that starts a run of each kind with some options."""

    def start(**options: Any) -> None:
        if request.param == "rft":
            base = RftConfig((str(discs),), str(tmp_path / "run"), str(policy))
            rft.run(replace(base, **options))
        elif request.param == "nano":
            sft.run(replace(tiny_config, **options))
        else:
            base = replace(tiny_config, objective="words", start_from=str(policy))
            words.run(replace(base, **options))

    return start


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_a_tracker_that_is_not_installed_is_said_before_training(
    run: Callable[..., None], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configs, "find_spec", lambda package: None if package == name else True)
    with pytest.raises(RoboReferError, match=f"pip install {name}") as caught:
        run(report_to=("tensorboard", name))
    assert caught.value.code is ErrorCode.MISSING_DEPENDENCY
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("check", [configs.check_sft, rft.check])
@pytest.mark.parametrize(("bf16", "has_it", "said"), [(1, 0, 1), (1, 1, 0), (0, 0, 0)])
def test_bfloat16_that_is_only_imitated_is_said(
    check: Callable[[Any], None],
    bf16: int,
    has_it: int,
    said: int,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tiny_config: SftConfig,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: bool(has_it))
    config = tiny_config if check is configs.check_sft else RftConfig(("d",), "o", "policy")
    check(replace(config, bf16=bool(bf16), report_to=()))
    assert [record.levelname for record in caplog.records] == ["WARNING"] * said


def test_a_folder_goes_on_with_its_own_config_alone(
    run: Callable[..., None], tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    path = tmp_path / "run" / "config.yaml"
    path.write_text("data: [other]\noutput: o\nstart_from: x\n")
    with pytest.raises(RoboReferError, match="began with another data"):
        run(report_to=())
    assert "other" in path.read_text()


@pytest.mark.parametrize(
    "options",
    [
        {"lora_rank": 2},
        {"images_per_pass": 2},
        {"text": {}},
        {"start_share": 0.5},
        {"start_share": 1.0, "start_from": "anything"},
        {"questions_per_image": 0},
        {"log_steps": 0},
        {"stages": (StageConfig("a", 0),)},
        {"stages": (StageConfig("a", 1), StageConfig("a", 1))},
        {"stages": (StageConfig("a", 1, 0),)},
    ],
    ids=str,
)
def test_nano_says_what_it_cannot(tiny_config: SftConfig, options: dict[str, Any]) -> None:
    with pytest.raises(RoboReferError) as caught:
        sft.run(replace(tiny_config, report_to=(), **options))
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert not Path(tiny_config.output).exists()


@pytest.mark.parametrize(
    "options",
    [
        {"stages": ()},
        {"half_weights": True},
        {"start_share": 0.5},
        {"stages": (StageConfig("a", 1, 4, "language"), StageConfig("b", 1, 4, "vision"))},
        {"stages": (StageConfig("a", 1, 4, "language"), StageConfig("b", 1, 3))},
        {"stages": (StageConfig("a", 1, 4, init_depth_from_rgb=True),)},
    ],
    ids=str,
)
def test_words_says_what_no_later_stage_can(
    tiny_config: SftConfig, policy: Path, options: dict[str, Any]
) -> None:
    base = replace(tiny_config, objective="words", start_from=str(policy), report_to=())
    with pytest.raises(RoboReferError) as caught:
        words.run(replace(base, images_per_pass=2, **options))
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert not Path(tiny_config.output).exists()


def test_nano_says_what_is_wrong_with_the_checkpoint_it_starts_from(
    tiny_config: SftConfig, policy: Path, tmp_path: Path
) -> None:
    wide = {**tiny_config.text, "hidden_size": 48}
    for number, (start, text) in enumerate(((tmp_path / "none", {}), (policy, wide))):
        config = replace(tiny_config, output=str(tmp_path / f"run{number}"), report_to=())
        with pytest.raises(RoboReferError, match="cannot start from") as caught:
            sft.run(replace(config, start_from=str(start), text=text or config.text))
        assert caught.value.code is ErrorCode.BAD_CHECKPOINT


def test_a_saved_config_is_whole_and_leaves_nothing_beside_it(
    tiny_config: SftConfig, tmp_path: Path
) -> None:
    save_config(tiny_config, tmp_path / "kept" / "run.yaml")
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["run.yaml"]
