"""Every reward by its name, and mixes of them."""

from __future__ import annotations

from collections.abc import Mapping

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.reward_config import NO_JUDGE, PAPER_WEIGHTS, JudgeConfig
from robo_refer_train.rewards.base import Reward
from robo_refer_train.rewards.boxes import BoxConfidence, BoxIou
from robo_refer_train.rewards.classification import Classification
from robo_refer_train.rewards.discrete import Discrete
from robo_refer_train.rewards.function_sequence import FunctionSequence
from robo_refer_train.rewards.mix import RewardMix
from robo_refer_train.rewards.numeric import Numeric
from robo_refer_train.rewards.outcome_format import OutcomeFormat
from robo_refer_train.rewards.point import PointWithin
from robo_refer_train.rewards.point_in_box import PointInBox
from robo_refer_train.rewards.point_mask import PointOnMask
from robo_refer_train.rewards.process_accuracy import ProcessAccuracy, ProcessAccuracyGraded
from robo_refer_train.rewards.process_format import ProcessFormat
from robo_refer_train.rewards.ui_action import UiAction

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
"""Those that need nothing but the answer and the truth; a judge is made from its settings."""


def make_mix(
    weights: Mapping[str, float] = PAPER_WEIGHTS, judge: JudgeConfig = NO_JUDGE
) -> RewardMix:
    """Return the mix of some rewards; 'judge' among them is the judge of `judge`.

    Raises:
        RoboReferError: BAD_REQUEST for weights that make no sense, and what a judge cannot do.
    """
    rewards = list(REWARDS.values())
    if "judge" in weights:
        if not judge.model:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "The mix has the reward 'judge', and no judge is named.",
                "Name its model, or take it out of the mix.",
            )
        # Imported here: it brings an HTTP client, or a language model.
        from robo_refer_train.rewards.judge import make_judge

        rewards.append(make_judge(judge))
    return RewardMix(rewards, weights)
