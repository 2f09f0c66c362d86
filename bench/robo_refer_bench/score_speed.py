"""Speed and memory of scoring, against RoboRefer's released `summarize_acc.py` on the same files.

    python -m robo_refer_bench.score_speed --script RoboRefer/Evaluation/summarize_acc.py

Both read the same masks and the same answers, one after the other, each in a process of its own,
and must print the same accuracy. The script is not part of this project: name a copy of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import tyro

from robo_refer.cli.main import run_command

_TASK = "Location"
_MODEL = "RoboRefer-speed"
_PRINTED = re.compile(r"Accuracy: ([0-9.]+), Evaluated: (\d+)")


@dataclass(frozen=True)
class Options:
    """What is measured.

    Attributes:
        script: a copy of the released summarize_acc.py.
        answers: recorded predictions.
        masks: different masks among them; as many as answers means that none is used twice.
        width: of the masks, pixels.
        height: of the masks, pixels.
        pairs: measurements of each side, in alternating order.
    """

    script: Path
    answers: int = 10_000
    masks: int = 200
    width: int = 640
    height: int = 480
    pairs: int = 3


@dataclass(frozen=True)
class Cost:
    """What one process took: seconds on the wall and of the processor, and its peak memory."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def write_files(folder: Path, options: Options) -> None:
    """Write a suite in the published layout, and an answer file of the released evaluator."""
    rng = np.random.default_rng(0)
    task = folder / "RefSpatial-Bench" / _TASK
    (task / "mask").mkdir(parents=True)
    (task / "image").mkdir()
    for number in range(options.masks):
        mask = np.zeros((options.height, options.width), np.uint8)
        # Outlines as of objects: free forms of a few hundred corners, not rectangles.
        angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
        radii = 60 * (1 + 0.4 * np.sin(3 * angles + number) + 0.05 * rng.standard_normal(200))
        centre = rng.uniform(0.2, 0.8, 2) * (options.width, options.height)
        outline = centre + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
        cv2.imwrite(str(task / f"mask/{number}.png"), mask)
        cv2.imwrite(str(task / f"image/{number}.png"), mask)
    questions, lines = [], []
    for number in range(options.answers):
        picture = number % options.masks
        row = {
            "id": number,
            "object": "mug",
            "prompt": "Point to the mug.",
            "suffix": "Your answer should be a list of tuples.",
            "rgb_path": f"image/{picture}.png",
            "mask_path": f"mask/{picture}.png",
            "category": "location",
            "step": 1 + number % 3,
        }
        points = ", ".join(f"({x:.3f}, {y:.3f})" for x, y in rng.random((1 + number % 4, 2)))
        text = f"<think>[Position] [mug]: [(0.412, 0.633)]</think><answer>[{points}]</answer>"
        questions.append(row)
        answer = {**row, "question_id": number, "text": text, "model_id": _MODEL}
        lines.append(json.dumps(answer) + "\n")
    (task / "question.json").write_text(json.dumps(questions))
    outputs = folder / "outputs" / _MODEL / f"{_TASK}.jsonl"
    outputs.parent.mkdir(parents=True)
    outputs.write_text("".join(lines))


def released(folder: Path, script: Path) -> tuple[str, Cost]:
    """Run the released script; return the accuracy that it prints, and its cost."""
    arguments = [str(script.resolve()), "--model_name", _MODEL, "--task_name", _TASK]
    printed, cost = _run([sys.executable, *arguments], folder)
    found = _PRINTED.search(printed)
    return f"{found[1]} of {found[2]}" if found else printed[-200:], cost


def ours(folder: Path) -> tuple[str, Cost]:
    """Run 'robo-refer bench score --mode official'; return the same, as the script prints it."""
    answers = f"outputs/{_MODEL}/{_TASK}.jsonl"
    arguments = ["bench", "score", answers, "--root", "RefSpatial-Bench", "--mode", "official"]
    command = [sys.executable, "-m", "robo_refer.cli.main", *arguments, "--json"]
    printed, cost = _run(command, folder)
    (score,) = json.loads(printed)
    return f"{score['score']:.4f} of {score['n']}", cost


def _run(command: Sequence[str], folder: Path) -> tuple[str, Cost]:
    with tempfile.TemporaryFile() as output:
        start = os.times()
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL, env=os.environ
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = os.times().elapsed - start.elapsed
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    return printed, Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main(options: Options) -> None:
    """Measure both in turn and print the medians, the ratio, and both accuracies."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder, options)
        theirs: list[Cost] = []
        mine: list[Cost] = []
        for _ in range(options.pairs):
            expected, cost = released(folder, options.script)
            theirs.append(cost)
            found, cost = ours(folder)
            mine.append(cost)
            if found != expected:
                raise SystemExit(f"Not the same: {found} and {expected}.")
    print(f"{options.answers} answers, {options.masks} masks of {options.width}x{options.height}")
    print(f"accuracy {found}, the same by both; load {os.getloadavg()[0]:.1f}")
    for label, costs in (("released", theirs), ("ours", mine)):
        print(
            f"  {label:<9} CPU {median(c.cpu_s for c in costs):7.2f} s, "
            f"wall {median(c.wall_s for c in costs):7.2f} s, "
            f"peak {median(c.peak_mb for c in costs):5.0f} MB"
        )
    ratio = median(a.cpu_s / b.cpu_s for a, b in zip(theirs, mine, strict=True))
    print(f"  ratio {ratio:.1f}x in processor seconds")


if __name__ == "__main__":
    run_command(lambda argv: main(tyro.cli(Options, args=argv)), sys.argv[1:])
