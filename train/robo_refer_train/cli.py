"""`robo-refer train ...`: train checkpoints."""

from __future__ import annotations

import json as json_format
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tyro

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.only_writer import only_writer
from robo_refer_train.reward_config import NO_JUDGE, PAPER_WEIGHTS, JudgeConfig, JudgeTraining

if TYPE_CHECKING:
    from robo_refer_train.rft_config import RftConfig


def supervised(
    config: Path, data: tuple[str, ...] = (), output: str = "", start_from: str = ""
) -> None:
    """Supervised fine-tuning in stages; a run that was killed goes on where it was.

    Args:
        config: YAML file, for example train/configs/nano_sft.yaml.
        data: dataset folders to use instead of the config's.
        output: output folder to use instead of the config's.
        start_from: folder of a checkpoint to go on from, for example train/checkpoints/nano.
    """
    from robo_refer_train.config import load_config

    settings = load_config(config)  # before torch, so that a wrong path is told at once
    from robo_refer_train import sft, words

    if data:
        settings = replace(settings, data=data)
    if output:
        settings = replace(settings, output=output)
    if start_from:
        settings = replace(settings, start_from=start_from)
    run = words.run if settings.objective == "words" else sft.run
    with _only_run(settings.output):
        print(f"trained checkpoint: {run(settings)}")


def rft(
    config: Path,
    data: tuple[str, ...] = (),
    output: str = "",
    start_from: str = "",
    practise: str = "",
) -> None:
    """Reinforcement fine-tuning (GRPO); a run that was killed goes on where it was.

    Args:
        config: YAML file, for example train/configs/nano_rft.yaml.
        data: dataset folders to use instead of the config's.
        output: output folder to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
        practise: file of `robo-refer train filter`, instead of the config's.
    """
    settings = _rft_config(config, data, output, start_from, practise)
    from robo_refer_train.rft import run

    with _only_run(settings.output):
        print(f"trained checkpoint: {run(settings)}")


def filter_items(
    config: Path,
    out: Path,
    data: tuple[str, ...] = (),
    start_from: str = "",
    answers: int = 8,
    limit: int = 0,
) -> None:
    """Find the items that a policy solves sometimes: what `robo-refer train rft` learns from.

    Args:
        config: YAML file of the run that shall practise.
        out: file that is written, or gone on with where the same was probed; give it to
            `robo-refer train rft --practise`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
        answers: how many are sampled per item.
        limit: how many items to probe; 0 probes all.
    """
    settings = _rft_config(config, data, "", start_from, "")
    from robo_refer_train.filtering import probe_items, summary

    with only_writer(out):
        print(summary(probe_items(settings, out, answers, limit)))


def doctor(config: Path, data: tuple[str, ...] = (), start_from: str = "") -> None:
    """Prove that depth counts in sampling and in learning, on the model and data of a run.

    Args:
        config: YAML file of `robo-refer train rft`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
    """
    settings = _rft_config(config, data, "", start_from, "")
    from robo_refer_train.doctor import examine

    findings = examine(settings)
    for finding in findings:
        print(finding)
    if not all(finding.healthy for finding in findings):
        raise RoboReferError(
            ErrorCode.NO_DEPTH,
            "Depth does not count everywhere in a step.",
            "Train without it (use_depth: false), or start from a checkpoint that uses it.",
        )


def continual(config: Path) -> None:
    """Learn a sequence of tasks; print what is known after each, AvgAcc and forgetting.

    Args:
        config: YAML file, for example train/configs/nano_continual.yaml.
    """
    from robo_refer_train.continual import load_continual_config, run

    settings = load_continual_config(config)
    with _only_run(settings.output):
        print(run(settings).table())


def speed(config: Path, data: tuple[str, ...] = (), start_from: str = "", steps: int = 5) -> None:
    """Time a step of RFT and of SFT, beside stock TRL on the same model, data and machine.

    Args:
        config: YAML file of `robo-refer train rft`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
        steps: that are timed, after one that is not.
    """
    settings = _rft_config(config, data, "", start_from, "")
    from robo_refer_train.speed import compare, report

    print(report(compare(settings, steps)))


def judge(
    settings: tyro.conf.OmitArgPrefixes[JudgeTraining],
    json: bool = False,
) -> None:
    """Fit the LoRA of a judge to pairs of answers; a run that was killed goes on where it was.

    Example: robo-refer train judge --model Qwen2.5-1.5B-Instruct --pairs pairs.jsonl --output judge

    Args:
        settings: What is fitted to what.
        json: Print the report on held-out pairs as one line of JSON.
    """
    from robo_refer_train.rewards.judge.training import run

    report = run(settings)
    print(json_format.dumps(asdict(report)) if json else report.table())


def rewards() -> None:
    """List the rewards of RFT, each with what it says in one line."""
    from robo_refer_train.rewards import REWARDS

    for name, reward in REWARDS.items():
        print(f"{name:<24} {(reward.__doc__ or '').splitlines()[0]}")
    print(f"{'judge':<24} The grade of a language model (--judge.model, or `judge` of a config).")


def reward_test(
    file: tyro.conf.Positional[Path],
    weights: tuple[tuple[str, float], ...] = (),
    judge: JudgeConfig = NO_JUDGE,
    json: bool = False,
) -> None:
    """Score recorded answers by the rewards of RFT, and explain every component.

    Example: robo-refer train reward-test answers.jsonl --weights point_mask 1 outcome_format 0.5

    Args:
        file: JSON lines: {"text": what was written, "truth": what is known about the item}.
        weights: Names of rewards, each with its weight; RoboRefer's four by default.
        judge: A language model that grades; its reward is called 'judge'.
        json: Print all scores as one line of JSON.
    """
    from robo_refer_train.rewards import make_mix
    from robo_refer_train.rewards.reward_test import read_recorded, score_recorded, table

    chosen = dict(weights) or {**PAPER_WEIGHTS, **({"judge": 1.0} if judge.model else {})}
    mix = make_mix(chosen, judge)
    mix.ready()
    tested = score_recorded(read_recorded(file), mix)
    print(json_format.dumps(tested.as_dict()) if json else table(tested))


def _only_run(output: str) -> AbstractContextManager[None]:
    """Hold the folder of a run; of a run of many processes, the first holds it."""
    is_first = int(os.environ.get("RANK", "0")) == 0
    return only_writer(Path(output)) if is_first else nullcontext()


def _rft_config(
    config: Path, data: tuple[str, ...], output: str, start_from: str, practise: str
) -> RftConfig:
    from robo_refer_train.rft_config import load_rft_config

    given: dict[str, Any] = {
        "data": data,
        "output": output,
        "start_from": start_from,
        "practise": practise,
    }
    return replace(load_rft_config(config), **{name: v for name, v in given.items() if v})


def main(argv: list[str]) -> None:
    """Run `robo-refer train` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(name="sft")(supervised)
    app.command(rft)
    app.command(name="filter")(filter_items)
    app.command(doctor)
    app.command(continual)
    app.command(speed)
    app.command(judge)
    app.command(rewards)
    app.command(reward_test)
    app.cli(args=argv, prog="robo-refer train", description="Train checkpoints.")
