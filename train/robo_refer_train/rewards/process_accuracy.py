"""R_Acc of RoboRefer: the key steps that were got right, by 0 or 1, or graded."""

from __future__ import annotations

import unicodedata
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from robo_refer.types import Step
from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import matched_share, ramp

_ARTICLES = ("the", "a", "an")
_MAX_WORDS = 2
_Words = tuple[str, ...]
_Key = tuple[str, _Words]
"""Kind of a step, and the words of its phrase."""


@dataclass(frozen=True)
class _StepAccuracy(Reward):
    """The mean over the truth's key steps of how well each was written, in any order.

    A written step belongs to the key steps of its kind whose phrase is alike (`_about`). Steps
    about something else earn nothing and cost nothing; several about the same thing share the
    credit of the best, so that guesses cannot be sprayed.
    """

    def applies(self, truth: Truth) -> bool:
        """Tell whether the item has key steps."""
        return bool(truth.steps)

    def check(self, truth: Truth) -> None:
        """Refuse items with steps that no answer could meet."""
        if not all(np.isfinite(step.value).all() for step in truth.steps):
            raise cannot_serve(self.name, "a step that is not finite")
        kinds = {step.kind for step in truth.steps}
        if "position" in kinds and (truth.size_px is None or min(truth.size_px) < 1):
            raise cannot_serve(self.name, "no frame in which distances are pixels")
        if any(step.kind != "position" and not any(step.value) for step in truth.steps):
            raise cannot_serve(self.name, "a size or a direction of length 0")

    def __call__(self, written: Written, truth: Truth) -> Score:
        true: dict[_Key, list[Step]] = defaultdict(list)
        for step in truth.steps:
            true[step.kind, _words(step.target)].append(step)
        said: dict[_Key | None, list[Step]] = defaultdict(list)
        for step in written.steps:
            said[_about(step, tuple(true))].append(step)
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
        told = [f"{key[0]} of {' '.join(key[1])} {share.get(key, 0.0):.2f}" for key in true]
        return Score(total / len(truth.steps), ", ".join(told))

    @abstractmethod
    def _credit(self, written: Step, true: Step, truth: Truth) -> float:
        """Return how right a step is, in [0, 1]; both are of one kind."""


@dataclass(frozen=True)
class ProcessAccuracy(_StepAccuracy):
    """The share of key steps (positions, directions, sizes) that are right, in any order.

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
    """The same, but a step is the more right the nearer it is.

    Cosine ramps around the paper's thresholds.

    Attributes:
        position_px: L1 errors of a position with full and with no credit.
        direction_deg: angles between two directions, likewise.
        size_share: errors of a size as a share of the true size, likewise.
    """

    position_px: tuple[float, float] = (10.0, 100.0)
    direction_deg: tuple[float, float] = (5.0, 60.0)
    size_share: tuple[float, float] = (0.05, 0.30)
    name = "process_accuracy_graded"

    def _credit(self, written: Step, true: Step, truth: Truth) -> float:
        if true.kind == "position":
            return ramp(_off_px(written, true, truth), *self.position_px)
        if true.kind == "orientation":
            angle = np.degrees(np.arccos(np.clip(_cosine(written, true), -1, 1)))
            return ramp(float(angle), *self.direction_deg)
        return ramp(_size_error(written, true), *self.size_share)


def _about(step: Step, keys: Sequence[_Key]) -> _Key | None:
    """Return which of the keys a step is about; None where it is none, or might be several.

    An equal phrase decides. Else one is alike that ends in the same word, with up to `_MAX_WORDS`
    more or less: "yellow banana" for "banana", and not a whole instruction that mentions it.
    """
    words = _words(step.target)
    if (step.kind, words) in keys:
        return step.kind, words
    alike = [key for key in keys if key[0] == step.kind and _are_alike(words, key[1])]
    return alike[0] if len(alike) == 1 else None


def _are_alike(first: _Words, second: _Words) -> bool:
    shorter, longer = sorted((first, second), key=len)
    return (
        bool(shorter)
        and shorter[-1] == longer[-1]
        and set(shorter) <= set(longer)
        and len(longer) - len(shorter) <= _MAX_WORDS
    )


def _words(target: str) -> _Words:
    plain = unicodedata.normalize("NFKC", target).casefold()
    return tuple(word for word in plain.split() if word not in _ARTICLES)


def _off_px(written: Step, true: Step, truth: Truth) -> float:
    apart = np.subtract(written.value, true.value) * np.array(truth.size_px, float)
    return float(np.abs(apart).sum())


def _cosine(written: Step, true: Step) -> float:
    lengths = float(np.linalg.norm(written.value) * np.linalg.norm(true.value))
    return float(np.dot(written.value, true.value)) / lengths if lengths else -1.0


def _size_error(written: Step, true: Step) -> float:
    return abs(written.value[0] - true.value[0]) / true.value[0]
