"""The command `robo-refer data`: make datasets and look at what they hold."""

from __future__ import annotations

import json as json_format
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError, missing_package

try:
    import tyro
except ImportError as error:
    raise missing_package("tyro", "data") from error

app = tyro.extras.SubcommandApp()


@app.command
def generate(
    out: Path,
    scenes: int,
    seed: int = 0,
    workers: int = os.cpu_count() or 1,
    size: str = "640x480",
    questions: int = 16,
    half: Literal["natural", "decorrelated", "both"] = "both",
    sensor_depth: bool = False,
    json: bool = False,
) -> None:
    """Render scenes, ask about them, and store both as a dataset.

    Stopped runs go on where they were when the same command is given again.

    Args:
        out: Folder of the dataset.
        scenes: Number of scenes.
        seed: The same seed makes the same bytes.
        workers: Number of processes.
        size: Image size, WIDTHxHEIGHT in pixels.
        questions: Questions per scene, at most.
        half: Tables as they are, scenes without shortcuts, or both in turn.
        sensor_depth: Depth with the noise and holes of a depth camera, instead of exact depth.
        json: Print the summary as one line of JSON.
    """
    from robo_refer_data import generate as generator
    from robo_refer_data.summary import summarise, write_card

    width, height = _parse_size(size)
    plan = generator.Plan(scenes, seed, width, height, questions, half, sensor_depth)
    run = generator.generate(out, plan, workers)
    summary = summarise(out)
    options = {"generator version": generator.GENERATOR_VERSION, **asdict(plan)}
    write_card(out, options, summary)
    if json:
        made = {"new_scenes": run["scenes"], "seconds": round(run["seconds"], 3)}
        rate = {"scenes_per_s": round(run["scenes_per_s"], 3)}
        print(json_format.dumps({"out": str(out), **summary.as_dict(), **made, **rate}))
        return
    print("\n".join(summary.table()))
    print(
        f"{summary.scenes.total()} scenes, {summary.questions} questions, "
        f"{summary.bytes / 1e6:.1f} MB in {out}"
    )
    print(
        f"{run['scenes']:.0f} of them made now, in {run['seconds']:.1f} s "
        f"({run['scenes_per_s']:.2f} scenes/s)"
    )


@app.command
def info(path: tyro.conf.Positional[Path], json: bool = False) -> None:
    """Print what a dataset holds.

    Args:
        path: Dataset folder or Parquet file.
        json: Print it as one line of JSON.
    """
    from robo_refer_data.summary import summarise

    summary = summarise(path)
    if json:
        print(json_format.dumps({"path": str(path), **summary.as_dict()}))
        return
    print("\n".join(summary.table()))
    sizes = ", ".join(f"{width}x{height}" for width, height in sorted(summary.sizes))
    print(
        f"{summary.scenes.total()} scenes of {sizes}, {summary.questions} questions, "
        f"{summary.bytes / 1e6:.1f} MB"
    )


def _parse_size(size: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if match is None:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The size {size!r} is not WIDTHxHEIGHT.",
            "Write for example --size 640x480.",
        )
    return int(match[1]), int(match[2])


def main(argv: list[str]) -> None:
    """Run `robo-refer data` with its arguments; raises RoboReferError."""
    app.cli(prog="robo-refer data", args=argv, config=(tyro.conf.FlagCreatePairsOff,))
