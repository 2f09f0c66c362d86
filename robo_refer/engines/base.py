"""What an engine is: arrays and instructions in, answers as text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from robo_refer import tokens
from robo_refer.preprocess import PreprocessSpec

MAX_NEW_TOKENS = 160
SCORE_BINS = 8
"""A coordinate's score is the probability of all bins this near: 8 of 250 are 3 % of the width."""


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
    """Seconds spent in each part, summed over the questions of one frame."""

    towers: float = 0.0
    prefill: float = 0.0
    decode: float = 0.0
    tokens: int = field(default=0)


class Engine(Protocol):
    """Answers instructions about one frame with greedy decoding."""

    name: str
    spec: PreprocessSpec
    timings: Timings

    def generate(
        self,
        image: NDArray[np.float32],
        depth: NDArray[np.float32] | None,
        instructions: Sequence[str],
        reason: bool,
    ) -> list[Generation]:
        """Return one answer per instruction; the image is encoded once.

        Args:
            image, depth: (3, height, width) canvases of `robo_refer.preprocess`.
            instructions: any text.
            reason: ask for written reasoning.
        """
        ...


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
