"""R_PF of RoboRefer: every line of thinking is a step of the grammar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from robo_refer.types import Step
from robo_refer_train.rewards.base import Reward, Score, Truth, Written


@dataclass(frozen=True)
class ProcessFormat(Reward):
    """1 if every line of thinking is a step, and none is repeated; else 0.

    No thinking is right only for items without key steps, repeats only where the truth has them.
    Whether the paper counts answers or lines is not stated; a share of lines could be bought with
    filler, so that all must be right.
    Source: RoboRefer (arXiv:2506.04308), section 3.4.
    """

    name = "process_format"

    def __call__(self, written: Written, truth: Truth) -> Score:
        if written.final is None:
            return Score(0.0, "the blocks of the answer cannot be told apart")
        if not written.lines:
            asked = "and there should be" if truth.steps else "as it should be"
            return Score(float(not truth.steps), f"there are no steps, {asked}")
        if len(written.steps) < written.lines:
            stray = written.lines - len(written.steps)
            return Score(0.0, f"{stray} of {written.lines} lines are not steps")
        if _repeated(written.steps) > _repeated(truth.steps):
            return Score(0.0, f"{_repeated(written.steps)} steps stand there again")
        return Score(1.0, "every line of thinking is a step")


def _repeated(steps: Sequence[Step]) -> int:
    return len(steps) - len(set(steps))
