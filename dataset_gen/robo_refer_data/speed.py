"""How many questions with reasoning steps are made per CPU second, beside CLEVR's generator.

Both sides ask about scenes that are ready: rendering is not counted. CLEVR's question generator
(https://github.com/facebookresearch/clevr-dataset-gen) runs as it is, in a process of its own, on
scenes in its format; the rounds of the two take turns, and medians count.
"""

from __future__ import annotations

import json
import math
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.observation import Half

CLEVR_PER_CPU_S = 113.0
"""CLEVR's rate on two cores of a server, when it is not measured beside ours."""

_SHAPES, _SIZES, _MATERIALS = (
    ("cube", "sphere", "cylinder"),
    ("large", "small"),
    ("rubber", "metal"),
)
_COLOURS = ("gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow")
_DIRECTIONS = {
    "right": (0.656, 0.754, 0.0),
    "left": (-0.656, -0.754, 0.0),
    "behind": (-0.754, 0.656, 0.0),
    "front": (0.754, -0.656, 0.0),
}
_APART, _BESIDE = 0.9, 0.2  # CLEVR's distances between objects, and along a direction


@dataclass(frozen=True)
class Speed:
    """Rates per CPU second, medians of the rounds.

    Attributes:
        scenes, rounds: how many were asked about, how often.
        questions_per_cpu_s: all questions of ours.
        with_steps_per_cpu_s: those of them that have reasoning steps.
        clevr_per_cpu_s: CLEVR's, in the same run, or CLEVR_PER_CPU_S.
        clevr_measured: whether it was in the same run.
        ratio: ours with steps over CLEVR's.
    """

    scenes: int
    rounds: int
    questions_per_cpu_s: float
    with_steps_per_cpu_s: float
    clevr_per_cpu_s: float
    clevr_measured: bool
    ratio: float

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return asdict(self)


def question_speed(scenes: int = 60, rounds: int = 3, clevr: Path | None = None) -> Speed:
    """Return how fast questions are made on ready scenes of 640x480.

    Args:
        scenes: how many to ask about, half of each kind.
        rounds: how often; medians count.
        clevr: a copy of clevr-dataset-gen, or None to compare with CLEVR_PER_CPU_S.

    Raises:
        RoboReferError: BAD_FILE when `clevr` is no such copy, or its generator fails; BAD_REQUEST
            for less than one scene or round.
    """
    if scenes < 1 or rounds < 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{scenes} scenes in {rounds} rounds measure nothing.",
            "Choose at least 1 of both.",
        )
    from robo_refer_data.questions import ask
    from robo_refer_data.scenes import observe

    halves: tuple[Half, Half] = ("natural", "decorrelated")
    ready = [observe(seed, halves[seed % 2], 640, 480) for seed in range(scenes)]
    ask(ready[0], np.random.default_rng(0), 16)  # what is computed once for all scenes
    every, stepped, theirs = [], [], []
    for round_ in range(rounds):
        started = time.process_time()
        asked = [ask(scene, np.random.default_rng([round_, scene.seed]), 16) for scene in ready]
        seconds = time.process_time() - started
        questions = [question for found in asked for question in found]
        every.append(len(questions) / seconds)
        stepped.append(sum(bool(q.answer.steps) for q in questions) / seconds)
        if clevr is not None:
            theirs.append(_clevr_rate(clevr, scenes, round_))
    peer = median(theirs) if theirs else CLEVR_PER_CPU_S
    ours = median(stepped)
    return Speed(scenes, rounds, median(every), ours, peer, bool(theirs), ours / peer)


def _clevr_rate(clevr: Path, scenes: int, seed: int) -> float:
    folder = clevr / "question_generation"
    if not (folder / "generate_questions.py").is_file():
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{clevr} is no copy of clevr-dataset-gen.",
            "Clone https://github.com/facebookresearch/clevr-dataset-gen and give its folder.",
        )
    with TemporaryDirectory() as temporary:
        source, out = Path(temporary, "scenes.json"), Path(temporary, "questions.json")
        source.write_text(json.dumps(_clevr_scenes(scenes, np.random.default_rng(seed))))
        before = _children_cpu_s()
        files = ["--input_scene_file", str(source), "--output_questions_file", str(out)]
        done = subprocess.run(
            [sys.executable, "generate_questions.py", *files],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"CLEVR's generator failed: {done.stderr.strip().splitlines()[-1:]}.",
                "Check that it runs by itself.",
            )
        return len(json.loads(out.read_text())["questions"]) / (_children_cpu_s() - before)


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _clevr_scenes(count: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return scenes in CLEVR's format: 3 to 10 objects, at CLEVR's distances from each other."""
    scenes = []
    for index in range(count):
        objects: list[dict[str, Any]] = []
        wanted = int(rng.integers(3, 11))
        while len(objects) < wanted:
            x, y = (float(value) for value in rng.uniform(-3, 3, 2))
            if all(math.dist((x, y), other["3d_coords"][:2]) >= _APART for other in objects):
                objects.append({
                    "shape": str(rng.choice(_SHAPES)), "size": str(rng.choice(_SIZES)),
                    "material": str(rng.choice(_MATERIALS)), "color": str(rng.choice(_COLOURS)),
                    "3d_coords": [x, y, 0.5], "pixel_coords": [0, 0, 0], "rotation": 0,
                })  # fmt: skip
        places = np.array([item["3d_coords"] for item in objects])
        relationships = {
            name: [np.flatnonzero((places - place) @ way > _BESIDE).tolist() for place in places]
            for name, way in _DIRECTIONS.items()
        }
        scenes.append({
            "split": "new", "image_index": index, "image_filename": f"CLEVR_new_{index:06d}.png",
            "objects": objects, "directions": _DIRECTIONS, "relationships": relationships,
        })  # fmt: skip
    return {"info": {"split": "new", "license": "", "version": "1", "date": ""}, "scenes": scenes}
