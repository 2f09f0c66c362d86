"""`robo-refer train ...`: train checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import tyro

from robo_refer.errors import ErrorCode, RoboReferError

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
    from robo_refer_train import sft, words
    from robo_refer_train.config import load_config

    settings = load_config(config)
    if data:
        settings = replace(settings, data=data)
    if output:
        settings = replace(settings, output=output)
    if start_from:
        settings = replace(settings, start_from=start_from)
    run = words.run if settings.objective == "words" else sft.run
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
    from robo_refer_train.rft import run

    settings = _rft_config(config, data, output, start_from, practise)
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
        out: file that is written; give it to `robo-refer train rft --practise`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
        answers: how many are sampled per item.
        limit: how many items to probe; 0 probes all.
    """
    from robo_refer_train.filtering import probe_items, summary

    settings = _rft_config(config, data, "", start_from, "")
    print(summary(probe_items(settings, out, answers, limit)))


def doctor(config: Path, data: tuple[str, ...] = (), start_from: str = "") -> None:
    """Prove that depth counts in sampling and in learning, on the model and data of a run.

    Args:
        config: YAML file of `robo-refer train rft`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
    """
    from robo_refer_train.doctor import examine

    findings = examine(_rft_config(config, data, "", start_from, ""))
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

    print(run(load_continual_config(config)).table())


def speed(config: Path, data: tuple[str, ...] = (), start_from: str = "", steps: int = 5) -> None:
    """Time a step of RFT and of SFT, beside stock TRL on the same model, data and machine.

    Args:
        config: YAML file of `robo-refer train rft`.
        data: dataset folders to use instead of the config's.
        start_from: folder of the policy's checkpoint, instead of the config's.
        steps: that are timed, after one that is not.
    """
    from robo_refer_train.speed import compare, report

    print(report(compare(_rft_config(config, data, "", start_from, ""), steps)))


def _rft_config(
    config: Path, data: tuple[str, ...], output: str, start_from: str, practise: str
) -> RftConfig:
    from robo_refer_train.rft_config import load_rft_config

    given = {"data": data, "output": output, "start_from": start_from, "practise": practise}
    return replace(load_rft_config(config), **{name: v for name, v in given.items() if v})


def main(argv: list[str]) -> None:
    """Run `robo-refer train` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(supervised, name="sft")
    app.command(rft)
    app.command(filter_items, name="filter")
    app.command(doctor)
    app.command(continual)
    app.command(speed)
    app.cli(args=argv, prog="robo-refer train", description="Train checkpoints.")
