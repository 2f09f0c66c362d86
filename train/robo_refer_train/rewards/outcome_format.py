"""R_OF of RoboRefer: the whole answer is a think block followed by an answer block."""

from __future__ import annotations

from dataclasses import dataclass

from robo_refer_train.rewards.base import Reward, Score, Truth, Written


@dataclass(frozen=True)
class OutcomeFormat(Reward):
    """1 if a think block and an answer block, both with content, are all of it; else 0.

    An item without key steps may be answered without thinking; an item that is answered by
    pointing needs points, or the empty list, as its answer.
    Source: RoboRefer (arXiv:2506.04308), section 3.4.
    """

    name = "outcome_format"

    def __call__(self, written: Written, truth: Truth) -> Score:
        if written.final is None:
            return Score(0.0, "the answer is not one think block and one answer block")
        if not written.final:
            return Score(0.0, "the answer block is empty")
        if truth.points is not None and written.points is None:
            return Score(0.0, "the answer block holds no list of points")
        if truth.steps and not written.lines:
            return Score(0.0, "there is no thinking before the answer")
        return Score(1.0, "the form is right")
