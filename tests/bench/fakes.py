"""A tiny dataset of coloured discs, and engines whose answers are known beforehand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from robo_refer.data import ObjectTruth, Question, Sample, ShardWriter, read_samples
from robo_refer.data.masks import encode
from robo_refer.engines.base import Generation, Request, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.parsing import format_answer
from robo_refer.preprocess import PreprocessSpec, depth_array, image_array
from robo_refer.types import Answer, CameraModel, Step
from robo_refer_bench.clients.engine import EngineClient
from robo_refer_bench.runner import Run, RunOptions
from robo_refer_bench.runner import run as run_suites
from robo_refer_bench.selection import Part
from robo_refer_bench.suites.generated import GENERATED

WIDTH, HEIGHT = 96, 72
SPEC = PreprocessSpec(WIDTH, HEIGHT, image_tokens=4, depth_tokens=4)
COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 60, 230)}


def _disc(place: int, colour: str, u: int, v: int, radius: int, depth_m: float) -> ObjectTruth:
    shape = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(shape, (u, v), radius, 1, -1)
    return ObjectTruth(
        id=place, name="disc", colour=colour, material="paper", size_m=np.full(3, 0.1),
        T_world_obj=np.eye(4), front_obj=None, mask=encode(shape), visible_fraction=1.0,
        depth_m=depth_m, point_norm=((u + 0.5) / WIDTH, (v + 0.5) / HEIGHT),
    )  # fmt: skip


def _questions(discs: Sequence[ObjectTruth], half: str, unique: bool) -> tuple[Question, ...]:
    """Ask one question of each of nine kinds about three discs, left to right."""
    first, second, third = discs
    corner = np.zeros((HEIGHT, WIDTH), np.uint8)
    corner[HEIGHT // 2 :, : WIDTH // 4] = 1
    free = ((WIDTH / 8 + 0.5) / WIDTH, (0.75 * HEIGHT + 0.5) / HEIGHT)
    nearest = min(discs, key=lambda item: item.depth_m)
    tags = {"half": half}
    step = Step("position", f"{first.colour} disc", first.point_norm)
    then = Step("position", f"{second.colour} disc", second.point_norm)

    def about(kind: str, hops: int, text: str, target: ObjectTruth, *steps: Step) -> Question:
        return Question(
            kind, "object", hops, text, Answer((target.point_norm,), steps), (target.id,),
            target.mask, tuple(range(1, 1 + len(steps))), tags | {"colour_unique": unique},
        )  # fmt: skip

    return (
        about("direct_colour", 0, f"the {first.colour} disc", first),
        about("right_of", 1, f"the disc right of the {first.colour} disc", second, step),
        about("nearest_camera", 1, "the nearest disc", nearest),
        about("two_step", 2, "the disc right of the one right of it", third, step, then),
        about("three_step", 3, "the disc left of all that", first, step, then),
        Question("two_step", "free_space", 2, "space left of it all", Answer((free,)), (),
                 encode(corner), (), tags),
        Question("absent_name", "absent", 0, "the mug", Answer(()), (), None, (), tags),
    )  # fmt: skip


def disc_sample(number: int) -> Sample:
    """Return three discs; even numbers are of the natural half, where lower is nearer."""
    rng = np.random.default_rng(number)
    half = "decorrelated" if number % 2 else "natural"
    colours = [str(name) for name in rng.permutation(sorted(COLOURS))]
    rows = [int(v) for v in rng.permutation([15, 35, 55])]
    depths = [0.5, 1.0, 1.5]
    discs = []
    rgb = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    depth = np.full((HEIGHT, WIDTH), 2.0 + 0.01 * number, np.float32)
    for place, (colour, v) in enumerate(zip(colours, rows, strict=True), start=1):
        z = depths[(55 - v) // 20] if half == "natural" else depths[place - 1]
        disc = _disc(place, colour, 16 + 32 * (place - 1), v, 5 + place, z)
        shape = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(shape, (16 + 32 * (place - 1), v), 5 + place, 1, -1)
        rgb[shape > 0], depth[shape > 0] = COLOURS[colour], z
        discs.append(disc)
    rgb[0, 0] = (number, 0, 0)  # no two frames are the same
    camera = CameraModel(WIDTH, HEIGHT, 60.0, 60.0, 47.5, 35.5, T_world_cam=np.eye(4))
    questions = _questions(discs, half, unique=number % 4 < 2)
    meta = {"half": half, "seed": number}
    return Sample(f"d-{number:04d}", rgb, depth, camera, tuple(discs), questions, "discs", meta)


def write_discs(folder: Path, count: int) -> Path:
    """Write a dataset in shards of five samples."""
    with ShardWriter(folder, samples_per_shard=5) as writer:
        for number in range(count):
            writer.write(disc_sample(number))
    return folder


class FakeEngine(CanvasEngine):
    """Answers what a function says, and remembers the depth that it saw with each frame."""

    name = "fake"
    spec = SPEC

    def __init__(self, answer: Callable[[Sample, Question], str], data: Path) -> None:
        self._answer = answer
        self._samples = {
            image_array(sample.rgb, SPEC).tobytes(): sample for sample in read_samples(data)
        }
        self.timings = Timings()
        self.seen: list[tuple[str, Any]] = []
        self.stop_after: int | None = None

    def answer(self, image: Any, depth: Any, requests: Sequence[Request]) -> list[Generation]:
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        sample = self._samples[image.tobytes()]
        self.seen.append((sample.id, depth))
        texts = []
        for request in requests:
            question = next(q for q in sample.questions if q.text == request.instruction)
            texts.append(self._answer(sample, question))
        return [Generation(text, tuple(text.encode()), (0.5,) * 9) for text in texts]


def client(engine: FakeEngine) -> EngineClient:
    """Return a fake as a client."""
    return EngineClient(lambda: engine, "robo_refer", model="fake", fingerprint="0" * 16)


def run(
    answer: Callable[[Sample, Question], str] | FakeEngine,
    data: Path,
    out: Path | None,
    options: RunOptions,
) -> Run:
    """Ask a fake about generated scenes."""
    engine = answer if isinstance(answer, FakeEngine) else FakeEngine(answer, data)
    return run_suites([Part(GENERATED, "all", data)], client(engine), options, out)


def truth(sample: Sample, question: Question) -> str:
    """Answer as the ground truth does."""
    return format_answer(question.answer)


def refusal(sample: Sample, question: Question) -> str:
    """Say that nothing is there."""
    return "<answer>[]</answer>"


def babble(sample: Sample, question: Question) -> str:
    """Answer what no parser reads."""
    return "somewhere over there"


def own_depth(sample: Sample) -> Any:
    """Return the depth canvas that the sample's own depth becomes."""
    return depth_array(sample.depth_m, SPEC)
