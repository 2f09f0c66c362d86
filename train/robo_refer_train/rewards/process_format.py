"""R_PF of RoboRefer: every line of thinking is a step of the grammar."""

from __future__ import annotations

from dataclasses import dataclass

from robo_refer_train.rewards.base import Reward, Score, Truth, Written


@dataclass(frozen=True)
class ProcessFormat(Reward):
    """1 if every line of thinking is a step, and none stands there twice; else 0.

    No thinking is right only for items without key steps. Whether the paper counts answers or
    lines is not stated; a share of lines could be bought with filler, so that all must be right.
    Source: RoboRefer (arXiv:2506.04308), section 3.4.
    """

    name = "process_format"

    def __call__(self, written: Written, truth: Truth) -> Score:
        if written.final is None:
            return Score(0.0, "the blocks of the answer cannot be told apart")
        if not written.lines:
            return Score(float(not truth.steps), "there are no steps")
        if len(written.steps) < written.lines:
            stray = written.lines - len(written.steps)
            return Score(0.0, f"{stray} of {written.lines} lines are not steps")
        repeated = len(written.steps) - len(set(written.steps))
        if repeated:
            return Score(0.0, f"{repeated} steps stand there again")
        return Score(1.0, f"all {written.lines} lines are steps")
