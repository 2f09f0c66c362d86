"""A reward by a language model that grades: for answers that no formula can check."""

from __future__ import annotations

from robo_refer_train.rewards.judge.make import make_judge
from robo_refer_train.rewards.judge.reward import Judge

__all__ = ["Judge", "make_judge"]
