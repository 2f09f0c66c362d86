"""Reinforcement fine-tuning: from a config to a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from peft import LoraConfig
from transformers import set_seed

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer_train.checkpoints import newest_whole
from robo_refer_train.config import (
    check_trackers,
    keep_config,
    save_config,
    warn_of_slow_bf16,
)
from robo_refer_train.filtering import worth_practising
from robo_refer_train.grpo import RftTrainer
from robo_refer_train.items import Items, practice_order
from robo_refer_train.practice import Practice, prepare
from robo_refer_train.rft_config import RftConfig, arguments, load_rft_config

LORA_TARGETS = r".*language_model\.layers\..*\.(q|k|v|o|gate|up|down)_proj"
"""The decoder's matrices; bare names would also hit the towers."""


def run(config: RftConfig) -> Path:
    """Train; return the folder of the final checkpoint.

    A run that was killed resumes from its newest whole checkpoint with the same items, answers and
    losses.

    Raises:
        RoboReferError: before anything is trained: what `check` and `prepare` raise, BAD_REQUEST
            for the folder of another run.
    """
    check(config)
    output = Path(config.output)
    keep_config(config, output, load_rft_config)
    trainer = build_trainer(config, prepare(config))
    trainer.train(resume_from_checkpoint=newest_whole(output))
    final = output / "final"
    policy = trainer.accelerator.unwrap_model(trainer.model)
    if trainer.is_world_process_zero():
        if config.lora_rank:
            policy.save_pretrained(output / "adapter")
            policy = policy.merge_and_unload()
        policy.save_pretrained(final)
        trainer.processing_class.save_pretrained(final)
        save_config(config, final / "training.yaml")
    return final


def check(config: RftConfig) -> None:
    """Do nothing where a run is possible at all.

    Raises:
        RoboReferError: BAD_REQUEST for adapters on what is not the decoder, and for weights that
            are split over processes: answers are sampled from whole ones; MISSING_DEPENDENCY for
            a tracker that is not installed.
    """
    check_trackers(config.report_to)
    warn_of_slow_bf16(config.bf16)
    if config.lora_rank and config.trainable != "language":
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"lora_rank is {config.lora_rank}, and trainable {config.trainable!r}: adapters are on "
            "the decoder alone.",
            "Set trainable: language, or lora_rank: 0.",
        )
    zero_stage = os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE", "0")
    if os.environ.get("ACCELERATE_USE_FSDP") == "true" or zero_stage == "3":
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "Reinforcement fine-tuning needs the whole weights in every process.",
            "Launch it with train/configs/accelerate/zero2.yaml, with adapters for a large model.",
        )


def chosen_items(config: RftConfig, items: Items) -> Sequence[int]:
    """Return the items that are practised.

    Raises:
        RoboReferError: BAD_FILE when the file of probes is of other data, or finds none of these
            items worth practising.
    """
    if not config.practise:
        return range(len(items))
    keys = worth_practising(Path(config.practise), config.data)
    chosen = [item for item in range(len(items)) if items.key(item) in keys]
    if not chosen:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"None of the items of the run is among those that {config.practise} found worth "
            "practising.",
            "Probe more of them: robo-refer train filter.",
        )
    return chosen


def build_trainer(config: RftConfig, practice: Practice) -> RftTrainer:
    """Return the trainer of a run."""
    set_seed(config.seed)  # adapters start from random numbers
    set_trainable(practice.policy, config)
    order = practice_order(
        practice.items,
        chosen_items(config, practice.items),
        config.steps * config.prompts_per_step // config.updates_per_rollout,
        per_image=config.questions_per_image,
        seed=config.seed,
        accepts=practice.scorer.accepts,
    )
    return RftTrainer(
        practice.policy,
        practice.items,
        order,
        practice.scorer,
        args=arguments(config),
        processor=practice.processor,
        resample_rounds=config.resample_rounds,
        remembered_pictures=config.remembered_pictures,
        peft_config=_adapters(config),
    )


def set_trainable(policy: RoboReferForConditionalGeneration, config: RftConfig) -> None:
    """Freeze what the run does not train."""
    inner = policy.model
    policy.requires_grad_(config.trainable == "all")
    if config.trainable != "all":
        inner.language_model.requires_grad_(True)
        policy.lm_head.requires_grad_(True)
    if config.trainable == "projectors":
        inner.vision_projector.requires_grad_(True)
        inner.depth_projector.requires_grad_(True)


def _adapters(config: RftConfig) -> LoraConfig | None:
    if not config.lora_rank:
        return None
    return LoraConfig(
        r=config.lora_rank,
        lora_alpha=2 * config.lora_rank,
        target_modules=LORA_TARGETS,
        bias="none",
    )
