"""A policy with what it practises on, loaded and checked before anything is trained."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from robo_refer.model.loading import load_checkpoint
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
from robo_refer_train.items import Items
from robo_refer_train.rewards import make_mix
from robo_refer_train.rft_config import RftConfig
from robo_refer_train.scoring import ItemScorer
from robo_refer_train.sources import load_table


@dataclass(frozen=True)
class Practice:
    """A policy, what it can practise on, and what its answers are worth."""

    policy: RoboReferForConditionalGeneration
    processor: RoboReferProcessor
    items: Items
    scorer: ItemScorer


def prepare(config: RftConfig) -> Practice:
    """Load and check all that a run needs, so that it fails before it begins.

    Raises:
        RoboReferError: BAD_CHECKPOINT, BAD_FILE for data of another schema, BAD_REQUEST for
            rewards that there are not, BAD_SAMPLE for an item that they cannot score.
    """
    if config.threads:
        torch.set_num_threads(config.threads)
    mix = make_mix(config.rewards, config.judge)
    mix.ready()
    # What is trained is kept in float32: in bfloat16, small steps would be rounded away.
    dtype = "auto" if config.lora_rank else torch.float32
    policy, processor = load_checkpoint(Path(config.start_from), dtype=dtype)
    items = Items(
        load_table(config.data),
        processor,
        use_depth=config.use_depth,
        reason=config.reason,
        kinds=config.kinds,
        key_steps=config.key_steps,
    )
    return Practice(policy, processor, items, ItemScorer(items, mix, processor.spec))
