"""What an engine is: frames and instructions in, answers as text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from robo_refer import tokens
from robo_refer.types import Answer, Frame

SCORE_BINS = 8
"""A coordinate's score is the probability of all bins this near: 8 of 250 are 3 % of the width."""


@dataclass(frozen=True, eq=False)
class Request:
    """One instruction about one frame.

    Attributes:
        frame: what is seen. Requests that share the *object* share its encoding.
        instruction: any text.
        reason: ask for written reasoning.
    """

    frame: Frame
    instruction: str
    reason: bool = False


@dataclass(frozen=True)
class Generation:
    """One written answer.

    Attributes:
        text: as written, without padding and end marks.
        token_ids: the same as tokens, without the end mark.
        point_scores: for every number pair in order, the model's confidence in [0, 1].
    """

    text: str
    token_ids: tuple[int, ...]
    point_scores: tuple[float, ...]


@dataclass
class Timings:
    """Seconds spent in each part, summed over the requests of one call."""

    preprocess: float = 0.0
    towers: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    tokens: int = field(default=0)


class Engine(Protocol):
    """Answers instructions about frames: a model, and how what it writes is read."""

    name: str
    timings: Timings

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one greedy answer per request, in their order.

        Raises:
            RoboReferError: BAD_INSTRUCTION, BAD_DEPTH (nothing measured), and for engines that
                ask a server BACKEND_UNREACHABLE and BACKEND_TIMEOUT.
        """
        ...

    def read(self, text: str, frame: Frame) -> Answer:
        """Return what `text` says about `frame`, its points in [0, 1] of the frame's image.

        Raises:
            RoboReferError: UNPARSABLE_ANSWER.
        """
        ...


def by_frame(requests: Sequence[Request]) -> list[list[int]]:
    """Return the places of the requests about each frame, so that it is encoded once."""
    groups: dict[int, list[int]] = {}
    for place, request in enumerate(requests):
        groups.setdefault(id(request.frame), []).append(place)
    return list(groups.values())


class PointScorer:
    """Collects the confidence of every number pair while an answer is written."""

    def __init__(self, first_id: int, second_id: int) -> None:
        self._starts = (first_id, second_id)
        self._pending = 0.0
        self.scores: list[float] = []

    def see(self, token_id: int, logits: NDArray[np.float32]) -> None:
        """Take in one written token and the (vocabulary,) logits it was drawn from."""
        for place, start in enumerate(self._starts):
            if not start <= token_id < start + tokens.BINS:
                continue
            probabilities = np.exp(logits - logits.max())
            low = max(start, token_id - SCORE_BINS)
            high = min(start + tokens.BINS, token_id + SCORE_BINS + 1)
            score = float(probabilities[low:high].sum() / probabilities.sum())
            if place == 0:
                self._pending = score
            else:
                self.scores.append(self._pending * score)
