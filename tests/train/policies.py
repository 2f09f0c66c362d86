"""The smallest policy, a reward that a random one can earn, and a run of a few steps on the discs.

As a script, `python policies.py DATA POLICY OUTPUT [STEPS]` is that run: for tests that kill it, or
launch it on several processes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from robo_refer.model.loading import load_checkpoint
from robo_refer_train.checkpoints import newest_whole
from robo_refer_train.config import SftConfig
from robo_refer_train.grpo import RftTrainer
from robo_refer_train.items import Items, practice_order
from robo_refer_train.nano import build_model, build_processor
from robo_refer_train.rewards import MixedScore, Score
from robo_refer_train.rft import set_trainable
from robo_refer_train.rft_config import RftConfig, arguments
from robo_refer_train.sources import load_table


def save_policy(config: SftConfig, folder: Path) -> Path:
    """Write a random policy that has opinions, so that its answers differ in likelihood."""
    processor = build_processor(config, load_table(config.data))
    model = build_model(config, processor.tokenizer)
    with torch.no_grad():
        model.lm_head.weight.mul_(10.0)
        for name, parameter in model.named_parameters():
            if "stem" in name and name.endswith("bias"):
                # A flat background before zero-mean filters is 0, where a ReLU has no gradient.
                parameter.normal_(std=0.1)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def digits(items: Sequence[int], texts: Sequence[str]) -> list[MixedScore]:
    """Reward every answer by the share of digits in it."""
    shares = [sum(c.isdigit() for c in text) / max(len(text), 1) for text in texts]
    return [MixedScore(share, {"digits": Score(share, "digits")}) for share in shares]


def small_run(data: Path, policy: Path, output: Path, **changes: Any) -> RftConfig:
    """Return a run of four steps with four answers to each of four questions."""
    settings: dict[str, Any] = {
        "steps": 4,
        "prompts_per_step": 4,
        "questions_per_image": 2,
        "group_size": 4,
        "max_answer_tokens": 6,
        "learning_rate": 3e-3,
        "warmup_steps": 1,
        "trainable": "all",
        "resample_rounds": 0,
        "save_steps": 2,
        "log_steps": 1,
        "report_to": (),
    }
    return RftConfig(
        data=(str(data),), output=str(output), start_from=str(policy), **{**settings, **changes}
    )


def small_trainer(config: RftConfig, **options: Any) -> RftTrainer:
    """Return the trainer of a run, with the reward for digits."""
    policy, processor = load_checkpoint(Path(config.start_from))
    items = Items(load_table(config.data), processor, use_depth=config.use_depth)
    set_trainable(policy, config)
    count = config.steps * config.prompts_per_step // config.updates_per_rollout
    order = practice_order(
        items,
        range(len(items)),
        count,
        per_image=config.questions_per_image,
        seed=config.seed,
        accepts=lambda item: True,
    )
    return RftTrainer(
        policy,
        items,
        order,
        digits,
        args=arguments(config),
        processor=processor,
        resample_rounds=config.resample_rounds,
        **options,
    )


def history(trainer: RftTrainer, name: str = "loss") -> list[float]:
    """Return what was logged under a name, step by step."""
    return [entry[name] for entry in trainer.state.log_history if name in entry]


def main(data: str, policy: str, output: str, steps: str = "4") -> None:
    torch.set_num_threads(1)
    config = small_run(Path(data), Path(policy), Path(output), steps=int(steps))
    trainer = small_trainer(config)
    trainer.train(resume_from_checkpoint=newest_whole(Path(output)))
    if trainer.is_world_process_zero():
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(Path(output) / "final")
        trainer.state.save_to_json(str(Path(output) / "final" / "state.json"))


if __name__ == "__main__":
    main(*sys.argv[1:])
