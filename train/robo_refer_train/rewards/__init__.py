"""Rewards of RFT: what an answer is worth, and why.

`make_mix` returns what a run scores with; `read_written` and `truth_of` make what it scores.
"""

from __future__ import annotations

from robo_refer_train.reward_config import PAPER_WEIGHTS
from robo_refer_train.rewards.base import Reward, Score, Truth, Written
from robo_refer_train.rewards.mix import MixedScore, RewardMix
from robo_refer_train.rewards.reading import read_written
from robo_refer_train.rewards.registry import REWARDS, make_mix
from robo_refer_train.rewards.truths import truth_from_json, truth_of, truth_to_json

__all__ = [
    "PAPER_WEIGHTS",
    "REWARDS",
    "MixedScore",
    "Reward",
    "RewardMix",
    "Score",
    "Truth",
    "Written",
    "make_mix",
    "read_written",
    "truth_from_json",
    "truth_of",
    "truth_to_json",
]
