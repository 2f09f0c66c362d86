"""`robo-refer train ...`: train checkpoints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import tyro


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


def main(argv: list[str]) -> None:
    """Run `robo-refer train` with the arguments after its name."""
    app = tyro.extras.SubcommandApp()
    app.command(sft)
    app.cli(args=argv, prog="robo-refer train", description="Train checkpoints.")
