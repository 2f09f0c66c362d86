"""`RewardMix`: several rewards, weighted, and what happens when one of them cannot tell."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.reward_config import PAPER_WEIGHTS
from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MixedScore:
    """The weighted sum of one answer's scores, None if any of them abstained."""

    value: float | None
    parts: dict[str, Score]


class RewardMix:
    """Scores answers by a weighted sum of rewards.

    Where a component abstains, raises, cannot score the item, or returns what is no number in
    [0, 1], the whole answer abstains: a sum without one of its terms is on another scale than its
    group's, and an advantage made of both would be garbage. Every abstention is counted, and the
    first of a kind is logged with the item's instruction. A component that does not apply to an
    item is no part of its sum: that is the same for all of a group.

    Args:
        rewards: every reward to choose from, by name (`REWARDS`, and a judge).
        weights: name -> weight, above 0.

    Raises:
        RoboReferError: BAD_REQUEST for a name that is not there, or a weight that is no number
            above 0.
    """

    def __init__(
        self, rewards: Iterable[Reward], weights: Mapping[str, float] = PAPER_WEIGHTS
    ) -> None:
        known = {reward.name: reward for reward in rewards}
        _check_weights(weights, known)
        self.weights = dict(weights)
        self.abstained: Counter[tuple[str, str]] = Counter()
        """(reward, reason) -> how many answers abstained because of it."""
        self._rewards = [known[name] for name in weights]

    def ready(self) -> None:
        """Raise the error of the first reward that cannot score anything; once before training."""
        for reward in self._rewards:
            reward.ready()

    def check(self, truth: Truth) -> None:
        """Raise the error of the first reward that cannot score this item; before training."""
        asked = [reward for reward in self._rewards if reward.applies(truth)]
        if not asked:
            raise cannot_serve(", ".join(self.weights), "nothing that it reads")
        for reward in asked:
            reward.check(truth)

    def __call__(self, pairs: Sequence[tuple[Written, Truth]]) -> list[MixedScore]:
        """Return the scores of some answers, whole groups at once; never raises for an answer."""
        columns = {reward.name: self._column(reward, pairs) for reward in self._rewards}
        return [
            self._mixed({name: scores[row] for name, scores in columns.items()})
            for row in range(len(pairs))
        ]

    def _mixed(self, parts: dict[str, Score]) -> MixedScore:
        asked = {name: score for name, score in parts.items() if score.applies}
        told = [self.weights[n] * s.value for n, s in asked.items() if s.value is not None]
        whole = bool(asked) and len(told) == len(asked)
        return MixedScore(sum(told) if whole else None, parts)

    def _column(self, reward: Reward, pairs: Sequence[tuple[Written, Truth]]) -> list[Score]:
        failed = None
        try:
            reward.prepare(pairs)
        except Exception as error:  # whatever a reward does wrong, the run goes on
            failed = _failure(error)
        scores = [_guarded(reward, *pair, failed) for pair in pairs]
        for score, (_, truth) in zip(scores, pairs, strict=True):
            if score.value is None and score.applies:
                self._count(reward.name, score.why, truth)
        return scores

    def _count(self, name: str, why: str, truth: Truth) -> None:
        if (name, why) not in self.abstained:
            _log.warning("The reward '%s' abstains on %r: %s", name, truth.prompt, why)
        self.abstained[name, why] += 1


def _guarded(reward: Reward, written: Written, truth: Truth, failed: Score | None) -> Score:
    try:
        if not reward.applies(truth):
            return Score(None, "it does not apply to this item", applies=False)
        if failed is not None:
            return failed
        reward.check(truth)
        score = reward(written, truth)
    except Exception as error:  # whatever a reward does wrong, the run goes on
        return _failure(error)
    if score.value is not None and not 0.0 <= score.value <= 1.0:  # also NaN
        return Score(None, f"it returned {score.value}, which is not in [0, 1]")
    return score


def _failure(error: Exception) -> Score:
    if isinstance(error, RoboReferError):
        return Score(None, error.message)
    return Score(None, f"it failed with {type(error).__name__}: {' '.join(str(error).split())}")


def _check_weights(weights: Mapping[str, float], known: Mapping[str, Reward]) -> None:
    unknown = sorted(set(weights) - set(known))
    if unknown or not weights:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no reward {', '.join(unknown) or 'in the mix'}.",
            f"Choose from: {', '.join(sorted(known))}.",
        )
    for name, weight in weights.items():
        if not (math.isfinite(weight) and weight > 0):
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The weight {weight} of the reward '{name}' is not a number above 0.",
                "Give every reward of the mix a weight above 0.",
            )
