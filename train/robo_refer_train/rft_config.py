"""What a run of reinforcement fine-tuning is."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.config import build, check_least, read_yaml
from robo_refer_train.reward_config import NO_JUDGE, PAPER_WEIGHTS, JudgeConfig

if TYPE_CHECKING:
    from trl import GRPOConfig


@dataclass(frozen=True)
class RftConfig:
    """A run of reinforcement fine-tuning.

    Attributes:
        data: folders written by `robo-refer data generate`.
        output: where checkpoints, logs and the final checkpoint go.
        start_from: checkpoint folder of the policy.
        practise: a file of `robo-refer train filter`; items always or never solved are left out.
            "" practises everything.
        kinds: question kinds to practise; () takes all that are answered by pointing.
        key_steps: practise only questions with at least so many steps of reasoning.
        rewards: weight of every reward of the mix (see `robo-refer train rewards`).
        judge: the language model of the reward 'judge', where the mix has it.
        seed: of the order of items and of sampling.
        steps: optimiser steps.
        prompts_per_step: questions per step, over all processes.
        questions_per_image: how many of them ask about one image, which is encoded once.
        group_size: answers per question.
        prompts_per_pass: questions per forward and backward pass and process; 0 takes all at once.
        updates_per_rollout: optimiser steps on the same answers.
        max_answer_tokens: longer answers are cut off.
        temperature: of sampling, and of the policy whose likelihood is learnt.
        loss: how advantages become a loss. "gspo" is "grpo" with one ratio per answer.
        scale_rewards: divide advantages by the group's standard deviation.
        beta: weight of the KL term to the policy as it was at the start.
        learning_rate, weight_decay, max_grad_norm: of AdamW.
        warmup_steps, decay_steps: linear rise, and linear fall to zero at the end; constant in
            between.
        trainable: "language" trains the decoder; "projectors" also the projectors; "all" also the
            towers. Features of frozen towers are computed once per picture.
        lora_rank: rank of adapters on the decoder, where that is trained; 0 trains the weights
            themselves.
        resample_rounds: how often a group without variance is replaced by that of another item.
        use_depth: whether the policy sees depth.
        reason: whether every answer is asked for with its reasoning.
        bf16: compute in bfloat16; what is trained, and the optimiser, stay in float32.
        gradient_checkpointing: recompute in the backward pass, to save memory.
        save_steps, log_steps: intervals, in steps.
        report_to: "tensorboard", "trackio", "wandb", or several; [] is none.
        threads: CPU threads of torch; 0 leaves its default.
        remembered_pictures: pictures whose features of frozen towers are kept in memory.
    """

    data: tuple[str, ...]
    output: str
    start_from: str
    practise: str = ""
    kinds: tuple[str, ...] = ()
    key_steps: int = 0
    rewards: dict[str, float] = field(default_factory=lambda: dict(PAPER_WEIGHTS))
    judge: JudgeConfig = NO_JUDGE
    seed: int = 0
    steps: int = 200
    prompts_per_step: int = 16
    questions_per_image: int = 2
    group_size: int = 8
    prompts_per_pass: int = 0
    updates_per_rollout: int = 1
    max_answer_tokens: int = 96
    temperature: float = 1.0
    loss: Literal["grpo", "dr_grpo", "dapo", "gspo"] = "dr_grpo"
    scale_rewards: bool = True
    beta: float = 0.0
    learning_rate: float = 1e-5
    warmup_steps: int = 5
    decay_steps: int = 0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    trainable: Literal["language", "projectors", "all"] = "language"
    lora_rank: int = 0
    resample_rounds: int = 1
    use_depth: bool = True
    reason: bool = False
    bf16: bool = False
    gradient_checkpointing: bool = False
    save_steps: int = 50
    log_steps: int = 5
    report_to: tuple[str, ...] = ("tensorboard",)
    threads: int = 0
    remembered_pictures: int = 4000


_LEAST = {
    "steps": 1,
    "prompts_per_step": 1,
    "questions_per_image": 1,
    "group_size": 2,
    "max_answer_tokens": 1,
    "save_steps": 1,
    "log_steps": 1,
}


def load_rft_config(path: Path) -> RftConfig:
    """Return the config in a YAML file; raises BAD_FILE as `load_config`."""
    raw = read_yaml(path)
    judge = build(path, JudgeConfig, raw.pop("judge", {}))
    return build(path, RftConfig, {**raw, "judge": judge})


def arguments(config: RftConfig) -> GRPOConfig:
    """Return the run as TRL reads it.

    Raises:
        RoboReferError: BAD_REQUEST for numbers that do not fit together.
    """
    import torch
    from trl import GRPOConfig

    check_least(config, _LEAST)
    # Set by accelerate and torchrun; torch.distributed itself starts later.
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    per_process = _divided(config.prompts_per_step, processes, "prompts_per_step", "processes")
    per_pass = config.prompts_per_pass or per_process
    passes = _divided(per_process, per_pass, "prompts_per_step per process", "prompts_per_pass")
    _divided(config.save_steps, config.updates_per_rollout, "save_steps", "updates_per_rollout")
    trackers = {"wandb", "trackio"} & set(config.report_to)
    return GRPOConfig(
        output_dir=config.output,
        max_steps=config.steps,
        per_device_train_batch_size=per_pass * config.group_size,
        gradient_accumulation_steps=passes,
        steps_per_generation=passes,
        num_generations=config.group_size,
        num_iterations=config.updates_per_rollout,
        max_completion_length=config.max_answer_tokens,
        temperature=config.temperature,
        loss_type="grpo" if config.loss == "gspo" else config.loss,
        importance_sampling_level="sequence" if config.loss == "gspo" else "token",
        scale_rewards="group" if config.scale_rewards else "none",
        beta=config.beta,
        learning_rate=config.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={"num_decay_steps": config.decay_steps, "decay_type": "linear"},
        warmup_steps=config.warmup_steps,
        weight_decay=config.weight_decay,
        max_grad_norm=config.max_grad_norm,
        shuffle_dataset=False,
        seed=config.seed,
        bf16=config.bf16,
        activation_checkpointing=config.gradient_checkpointing,
        save_steps=config.save_steps,
        save_total_limit=2,
        logging_steps=config.log_steps,
        log_completions=bool(trackers),
        report_to=list(config.report_to),
        use_cpu=not torch.cuda.is_available(),
        ddp_find_unused_parameters=True,  # a pass may be without depth
    )


def _divided(count: int, by: int, counted: str, divisor: str) -> int:
    if by < 1 or count % by:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{counted} is {count}, which is no multiple of {divisor}, {by}.",
            "Change one of the two.",
        )
    return count // by
