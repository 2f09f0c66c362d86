"""`robo-refer train ...`: train checkpoints."""

from __future__ import annotations

import json as json_format
from dataclasses import asdict, replace
from pathlib import Path

import tyro

from robo_refer_train.reward_config import NO_JUDGE, PAPER_WEIGHTS, JudgeConfig, JudgeTraining


def sft(config: Path, data: tuple[str, ...] = (), output: str = "", start_from: str = "") -> None:
    """Supervised fine-tuning in stages; a run that was killed goes on where it was.

    Args:
        config: YAML file, for example train/configs/nano_sft.yaml.
        data: dataset folders to use instead of the config's.
        output: output folder to use instead of the config's.
        start_from: folder of a checkpoint to go on from, for example train/checkpoints/nano.
    """
    from robo_refer_train.config import load_config
    from robo_refer_train.sft import run

    settings = load_config(config)
    if data:
        settings = replace(settings, data=data)
    if output:
        settings = replace(settings, output=output)
    if start_from:
        settings = replace(settings, start_from=start_from)
    print(f"trained checkpoint: {run(settings)}")


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


def main(argv: list[str]) -> None:
    """Run `robo-refer train` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(sft)
    app.command(judge)
    app.command(rewards)
    app.command(reward_test)
    app.cli(args=argv, prog="robo-refer train", description="Train checkpoints.")
