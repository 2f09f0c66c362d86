"""`robo-refer demo`: an unseen tabletop, six questions of different kinds, answers in metres."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from robo_refer.cli.point import write_picture
from robo_refer.cli.report import report
from robo_refer.data import masks
from robo_refer.data.sample import Question
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import score_answer
from robo_refer.referrer import Referrer
from robo_refer.types import Answer, Frame, Referral
from robo_refer_data.demo_sheet import Panel, sheet
from robo_refer_data.questions import ask
from robo_refer_data.render.sensor import sensor_depth
from robo_refer_data.scenes import observe

SIZE = (640, 480)
TAUGHT = ("object", "free_space", "absent")
"""The families that nano was taught first and most, and the demo asks."""

_CANDIDATES = 120  # enough that a scene which allows a kind of question gets one

# One question of each group, the first that was drawn: whether nano can answer it plays no part.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("by name", ("direct_",)),
    ("left or right", ("left_of", "right_of")),
    ("near or far", ("nearest", "farthest", "nearer", "just_nearer")),
    ("order or size", ("nth_", "biggest", "smallest", "tallest", "shortest", "bigger", "taller")),
    ("free space", ("free_",)),
    ("two steps, or not there", ("two_step", "three_step", "absent_")),
)


@dataclass(frozen=True)
class DemoOptions:
    """Render a scene that nano was never trained on, ask six questions, and show the answers."""

    seed: int = 3
    """Another number, another scene."""

    out: Path = Path("demo.png")
    """Where the picture goes (.png or .jpg)."""

    model: str = "nano"
    """"nano", which comes with the package, or the folder of a checkpoint."""

    as_json: Annotated[bool, tyro.conf.arg(name="json")] = False
    """Print everything as JSON."""


@dataclass(frozen=True)
class Asked:
    """A question, its group, and what was answered."""

    group: str
    question: Question
    referral: Referral

    @property
    def is_hit(self) -> bool:
        """Whether the answer is right; one that could not be read is not."""
        referral = self.referral
        readable = bool(referral.points) or referral.status == "no_target"
        answer = Answer(tuple(point.uv_norm for point in referral.points))
        return score_answer(answer if readable else None, self.question)


def main(argv: list[str]) -> None:
    """Run `robo-refer demo` with the arguments after its name."""
    options = tyro.cli(
        DemoOptions,
        args=argv,
        prog="robo-refer demo",
        description=DemoOptions.__doc__,
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    if options.seed < 0:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST, f"There is no seed {options.seed}.", "Choose 0 or more."
        )
    started = time.perf_counter()
    referrer = Referrer.from_pretrained(options.model)
    loaded = time.perf_counter()
    print("Rendering a scene (the first time compiles the renderer) ...", file=sys.stderr)
    frame, questions = unseen_scene(options.seed)
    rendered = time.perf_counter()
    asked = [
        Asked(group, question, referrer.refer(frame, question.text))
        for group, question in questions
    ]
    answered = time.perf_counter()
    panels = [
        Panel(
            item.referral,
            None if item.question.mask is None else masks.decode(item.question.mask),
            item.is_hit,
        )
        for item in asked
    ]
    write_picture(options.out, sheet(frame, panels, title(options, asked)))
    seconds = {
        "load": loaded - started,
        "render": rendered - loaded,
        "answer": answered - rendered,
        "all": time.perf_counter() - started,
    }
    if options.as_json:
        print(json.dumps(as_dict(options, asked, seconds)))
    else:
        print(as_text(options, frame, asked, seconds))


def unseen_scene(seed: int) -> tuple[Frame, list[tuple[str, Question]]]:
    """Return a natural tabletop as a depth camera would see it, and a question of each group.

    Datasets draw the seeds of their scenes from 63 bits: hardly one is a number that people type.
    """
    observation = observe(seed, "natural", *SIZE)
    rng = np.random.default_rng([seed, 0])
    questions = choose(ask(observation, rng, _CANDIDATES, TAUGHT, wording="plain"))
    depth_m = sensor_depth(observation.depth_m, observation.rgb, rng)
    return Frame(observation.rgb, depth_m, observation.camera), questions


def choose(questions: Sequence[Question]) -> list[tuple[str, Question]]:
    """Return the first question of each group; a group that the scene lacks gives its turn away."""
    chosen: list[tuple[str, Question]] = []
    left = list(questions)
    for group, prefixes in GROUPS:
        found = next((item for item in left if item.kind.startswith(prefixes)), None)
        if found is not None:
            chosen.append((group, found))
            left.remove(found)
    kinds = {question.kind for _, question in chosen}
    for question in left:
        if len(chosen) < len(GROUPS) and question.kind not in kinds:
            chosen.append(("another", question))
            kinds.add(question.kind)
    return chosen


def title(options: DemoOptions, asked: Sequence[Asked]) -> str:
    """Return the headline of the picture."""
    hits = sum(item.is_hit for item in asked)
    model = Path(options.model).name
    return (
        f"{model} on a scene it has never seen, seed {options.seed}: {hits} of {len(asked)} right"
    )


def as_text(
    options: DemoOptions, frame: Frame, asked: Sequence[Asked], seconds: dict[str, float]
) -> str:
    """Return what the demo prints: every answer with its verdict, then the total."""
    blocks = [
        f"{number}. {item.group}: {verdict(item)}\n{report(frame, item.referral)}\n"
        for number, item in enumerate(asked, 1)
    ]
    return "\n".join(
        [
            *blocks,
            f"{title(options, asked)}.",
            f"{seconds['load']:.1f} s to load the model, {seconds['render']:.1f} s to render, "
            f"{seconds['answer']:.1f} s to answer, {seconds['all']:.1f} s in all.",
            f"Picture: {options.out}",
        ]
    )


def verdict(item: Asked) -> str:
    """Return in words whether the answer is right."""
    if not item.referral.points and item.referral.status != "no_target":
        return "no answer that can be read"
    if item.question.mask is None:
        return "right, it is not there" if item.is_hit else "wrong, it is not there"
    if not item.referral.points:
        return "wrong, it is there"
    return "hit" if item.is_hit else "miss"


def as_dict(
    options: DemoOptions, asked: Sequence[Asked], seconds: dict[str, float]
) -> dict[str, Any]:
    """Return what `--json` prints."""
    return {
        "seed": options.seed,
        "picture": str(options.out),
        "hits": sum(item.is_hit for item in asked),
        "questions": [
            {
                "group": item.group,
                "kind": item.question.kind,
                "hit": item.is_hit,
                "referral": item.referral.as_dict(),
            }
            for item in asked
        ],
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }
