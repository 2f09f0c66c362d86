"""A `RewardMix` as the reward function that TRL's GRPOTrainer calls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from robo_refer_train.rewards.mix import MixedScore, RewardMix
from robo_refer_train.rewards.reading import read_written
from robo_refer_train.rewards.truths import truth_from_json

TRUTH_COLUMN = "truth"
"""The dataset column that holds `truth_to_json(...)` beside every prompt."""


def trl_reward(
    mix: RewardMix, decode: Callable[[Sequence[int]], str]
) -> Callable[..., Awaitable[list[float | None]]]:
    """Return the one function for `GRPOTrainer(reward_funcs=[...])`; rows that abstain are None.

    It is one function and not one per component, because TRL adds up whatever of several did
    not abstain. The mean of every component, and how often each abstained, is logged.

    Args:
        mix: the rewards.
        decode: token ids -> text with all of the grammar's tokens. TRL's own `completions` leave
            out tokens registered as special, and with them the coordinates of some tokenizers.
    """

    async def mixed(
        completion_ids: Sequence[Sequence[int]],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        truths = [truth_from_json(text) for text in columns[TRUTH_COLUMN]]
        written = [read_written(decode(ids)) for ids in completion_ids]
        # In a thread, so that a judge that waits for a server does not stop TRL's other rewards.
        scores = await asyncio.to_thread(mix, list(zip(written, truths, strict=True)))
        if log_metric is not None:
            _log_parts(scores, log_metric)
        return [score.value for score in scores]

    return mixed


def _log_parts(scores: Sequence[MixedScore], log_metric: Callable[[str, float], None]) -> None:
    for name in scores[0].parts:
        asked = [part.value for score in scores if (part := score.parts[name]).applies]
        told = [value for value in asked if value is not None]
        if told:
            log_metric(f"rewards/{name}", sum(told) / len(told))
        if asked:
            log_metric(f"abstained/{name}", 1.0 - len(told) / len(asked))
