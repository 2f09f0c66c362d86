"""Rewards of RFT: what an answer is worth, and why.

`REWARDS` holds those that need nothing but the answer and the truth; a judge is made with
`robo_refer_train.rewards.judge`.
"""

from __future__ import annotations

from robo_refer_train.rewards.base import Reward, Score, Truth, Written
from robo_refer_train.rewards.boxes import BoxConfidence, BoxIou
from robo_refer_train.rewards.classification import Classification
from robo_refer_train.rewards.discrete import Discrete
from robo_refer_train.rewards.function_sequence import FunctionSequence
from robo_refer_train.rewards.mix import PAPER_WEIGHTS, MixedScore, RewardMix
from robo_refer_train.rewards.numeric import Numeric
from robo_refer_train.rewards.outcome_format import OutcomeFormat
from robo_refer_train.rewards.point import PointWithin
from robo_refer_train.rewards.point_in_box import PointInBox
from robo_refer_train.rewards.point_mask import PointOnMask
from robo_refer_train.rewards.process_accuracy import ProcessAccuracy, ProcessAccuracyGraded
from robo_refer_train.rewards.process_format import ProcessFormat
from robo_refer_train.rewards.reading import read_written
from robo_refer_train.rewards.truths import truth_from_json, truth_of, truth_to_json
from robo_refer_train.rewards.ui_action import UiAction

__all__ = [
    "PAPER_WEIGHTS",
    "REWARDS",
    "MixedScore",
    "Reward",
    "RewardMix",
    "Score",
    "Truth",
    "Written",
    "read_written",
    "truth_from_json",
    "truth_of",
    "truth_to_json",
]

REWARDS: dict[str, Reward] = {
    reward.name: reward
    for reward in (
        OutcomeFormat(),
        PointWithin(),
        PointOnMask(),
        ProcessFormat(),
        ProcessAccuracy(),
        ProcessAccuracyGraded(),
        BoxIou(),
        BoxConfidence(),
        PointInBox(),
        Classification(),
        Discrete(),
        Numeric(),
        FunctionSequence(),
        UiAction(),
    )
}
