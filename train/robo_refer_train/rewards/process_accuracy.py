"""R_Acc of RoboRefer: the key steps that were got right, by 0 or 1, or graded."""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robo_refer.types import Step
from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import matched_share, ramp

_ARTICLES = re.compile(r"\b(?:the|a|an)\b")
_Key = tuple[str, str]


@dataclass(frozen=True)
class _StepAccuracy(Reward):
    """The mean over the truth's key steps of how well each was written, in any order.

    A written step belongs to the key steps of the same kind and phrase (articles, case and spaces
    do not matter). Steps about something else earn nothing and cost nothing; several about the
    same thing share the credit of the best, so that guesses cannot be sprayed.
    """

    def check(self, truth: Truth) -> None:
        """Refuse items without key steps, or with steps that no answer could meet."""
        if not truth.steps:
            raise cannot_serve(self.name, "no key steps")
        if not all(np.isfinite(step.value).all() for step in truth.steps):
            raise cannot_serve(self.name, "a step that is not finite")
        kinds = {step.kind for step in truth.steps}
        if "position" in kinds and (truth.size_px is None or min(truth.size_px) < 1):
            raise cannot_serve(self.name, "no frame in which distances are pixels")
        if any(step.kind != "position" and not any(step.value) for step in truth.steps):
            raise cannot_serve(self.name, "a size or a direction of length 0")

    def __call__(self, written: Written, truth: Truth) -> Score:
        said, true = _grouped(written.steps), _grouped(truth.steps)
        share = {
            key: matched_share(
                np.array(
                    [[self._credit(step, other, truth) for other in steps] for step in said[key]]
                )
            )
            for key, steps in true.items()
            if key in said
        }
        total = sum(share.get(key, 0.0) * len(steps) for key, steps in true.items())
        told = [f"{kind} of {phrase} {share.get((kind, phrase), 0.0):.2f}" for kind, phrase in true]
        return Score(total / len(truth.steps), ", ".join(told))

    @abstractmethod
    def _credit(self, written: Step, true: Step, truth: Truth) -> float:
        """Return how right a step is, in [0, 1]; both are of one kind."""


@dataclass(frozen=True)
class ProcessAccuracy(_StepAccuracy):
    """A step is right or wrong.

    Source: RoboRefer (arXiv:2506.04308), section 3.4, with its thresholds. That the steps' mean
    counts, not their sum, is ours: a sum would pay for long questions.

    Attributes:
        within_px: L1 distance of a position, pixels of the truth's frame.
        cosine: of the angle between two directions.
        size_share: error of a size, as a share of the true size.
    """

    within_px: float = 50.0
    cosine: float = 0.8
    size_share: float = 0.15
    name = "process_accuracy"

    def _credit(self, written: Step, true: Step, truth: Truth) -> float:
        if true.kind == "position":
            return float(_off_px(written, true, truth) < self.within_px)
        if true.kind == "orientation":
            return float(_cosine(written, true) > self.cosine)
        return float(_size_error(written, true) <= self.size_share)


@dataclass(frozen=True)
class ProcessAccuracyGraded(_StepAccuracy):
    """A step is the more right the nearer it is: cosine ramps around the paper's thresholds.

    Attributes:
        position_px: L1 errors of a position with full and with no credit.
        direction_deg: angles between two directions, likewise.
        size_share: errors of a size as a share of the true size, likewise.
    """

    position_px: tuple[float, float] = (10.0, 100.0)
    direction_deg: tuple[float, float] = (5.0, 60.0)
    size_share: tuple[float, float] = (0.03, 0.30)
    name = "process_accuracy_graded"

    def _credit(self, written: Step, true: Step, truth: Truth) -> float:
        if true.kind == "position":
            return ramp(_off_px(written, true, truth), *self.position_px)
        if true.kind == "orientation":
            angle = np.degrees(np.arccos(np.clip(_cosine(written, true), -1, 1)))
            return ramp(float(angle), *self.direction_deg)
        return ramp(_size_error(written, true), *self.size_share)


def _grouped(steps: Sequence[Step]) -> dict[_Key, list[Step]]:
    groups: dict[_Key, list[Step]] = defaultdict(list)
    for step in steps:
        groups[step.kind, _phrase(step.target)].append(step)
    return dict(groups)


def _phrase(target: str) -> str:
    plain = unicodedata.normalize("NFKC", target).casefold()
    return " ".join(_ARTICLES.sub(" ", plain).split())


def _off_px(written: Step, true: Step, truth: Truth) -> float:
    apart = np.subtract(written.value, true.value) * np.array(truth.size_px, float)
    return float(np.abs(apart).sum())


def _cosine(written: Step, true: Step) -> float:
    lengths = float(np.linalg.norm(written.value) * np.linalg.norm(true.value))
    return float(np.dot(written.value, true.value)) / lengths if lengths else -1.0


def _size_error(written: Step, true: Step) -> float:
    return abs(written.value[0] - true.value[0]) / true.value[0]
