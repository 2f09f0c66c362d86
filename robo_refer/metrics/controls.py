"""Controls: answers that do not read the question, on the same questions as the model.

A score says nothing until it stands beside these. Each control is one function and one line in
`CONTROLS`; it gets a scene's truth, one question and a generator that is the same for every model,
and returns the points it would answer (() is a refusal).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from math import hypot

import numpy as np

from robo_refer.data import ObjectTruth, Question, Sample
from robo_refer.data.masks import area

Points = tuple[tuple[float, float], ...]
"""(x, y) in [0, 1], best first."""

Rule = Callable[[Sample, Question, np.random.Generator], Points]


@dataclass(frozen=True)
class Control:
    """One control.

    Attributes:
        rule: what it answers.
        label: a heading of a few letters.
        picture_only: it looks at the picture alone. Only these may become a kind's best
            heuristic: the others use the true depth, the true anchor, or refuse.
    """

    rule: Rule
    label: str
    picture_only: bool = True


def _pick(sample: Sample, worth: Callable[[ObjectTruth], float]) -> Points:
    """Point at the object that is worth most; a scene without objects has no such point."""
    if not sample.objects:
        return ()
    return (max(sample.objects, key=worth).point_norm,)


def random_object(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at any object."""
    if not sample.objects:
        return ()
    return (sample.objects[int(rng.integers(len(sample.objects)))].point_norm,)


def lowest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object lowest in the image."""
    return _pick(sample, lambda item: item.point_norm[1])


def highest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object highest in the image."""
    return _pick(sample, lambda item: -item.point_norm[1])


def leftmost(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the leftmost object."""
    return _pick(sample, lambda item: -item.point_norm[0])


def rightmost(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the rightmost object."""
    return _pick(sample, lambda item: item.point_norm[0])


def most_central(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object nearest to the middle of the image."""
    return _pick(sample, lambda item: -_distance(sample, item.point_norm, (0.5, 0.5)))


def largest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object with most pixels."""
    return _pick(sample, lambda item: area(item.mask))


def smallest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object with fewest pixels."""
    return _pick(sample, lambda item: -area(item.mask))


def image_centre(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the middle of the image."""
    return ((0.5, 0.5),)


def lower_half(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point anywhere in the lower half of the image, where tables are."""
    return ((float(rng.random()), float(rng.uniform(0.5, 1.0))),)


def nearest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the truly nearest object."""
    return _pick(sample, lambda item: -item.depth_m)


def farthest(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the truly farthest object."""
    return _pick(sample, lambda item: item.depth_m)


def anchor_neighbour(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Point at the object nearest in the image to the last true anchor; without one, at any.

    It knows which object the question starts from, but not which relation is asked.
    """
    anchors = [item for item in sample.objects if item.id in question.step_ids[-1:]]
    others = [item for item in sample.objects if item.id not in question.step_ids]
    if not anchors or not others:
        return random_object(sample, question, rng)
    start = anchors[0].point_norm
    return (min(others, key=lambda item: _distance(sample, item.point_norm, start)).point_norm,)


def always_refuse(sample: Sample, question: Question, rng: np.random.Generator) -> Points:
    """Say that nothing is there; every other control never says it."""
    return ()


def _distance(sample: Sample, a: tuple[float, float], b: tuple[float, float]) -> float:
    """Distance in pixels of two points in [0, 1]."""
    width, height = sample.size
    return hypot((a[0] - b[0]) * width, (a[1] - b[1]) * height)


CONTROLS: dict[str, Control] = {
    "random_object": Control(random_object, "rand"),
    "lowest": Control(lowest, "low"),
    "highest": Control(highest, "high"),
    "leftmost": Control(leftmost, "left"),
    "rightmost": Control(rightmost, "right"),
    "most_central": Control(most_central, "mid"),
    "largest": Control(largest, "large"),
    "smallest": Control(smallest, "small"),
    "image_centre": Control(image_centre, "centre"),
    "lower_half": Control(lower_half, "lower½"),
    "nearest": Control(nearest, "near+", picture_only=False),
    "farthest": Control(farthest, "far+", picture_only=False),
    "anchor_neighbour": Control(anchor_neighbour, "beside+", picture_only=False),
    "always_refuse": Control(always_refuse, "refuse", picture_only=False),
}
"""Every control by its name. "+" marks those that know more than the picture shows."""


def control_points(sample: Sample, index: int) -> dict[str, Points]:
    """Return what every control answers to question `index`; always the same for the same scene."""
    question = sample.questions[index]
    answers: dict[str, Points] = {}
    for name, control in CONTROLS.items():
        # A generator of its own, so that a new control changes no other's draws.
        seed = [zlib.crc32(sample.id.encode()), index, zlib.crc32(name.encode())]
        answers[name] = control.rule(sample, question, np.random.default_rng(seed))
    return answers
