"""What sharing saves: a step of ours beside one of stock TRL, on one model, data and machine.

Each side runs in a process of its own, so that peak memory can be told apart, and CPU seconds are
compared, which other programs on the machine change little.
"""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from PIL import Image
from transformers import TrainerCallback
from trl import GRPOTrainer, SFTConfig, SFTTrainer

from robo_refer.model.loading import load_checkpoint
from robo_refer.model.processing import RoboReferProcessor
from robo_refer_train.config import SftConfig, StageConfig
from robo_refer_train.practice import prepare
from robo_refer_train.rft import build_trainer, set_trainable
from robo_refer_train.rft_config import RftConfig, arguments
from robo_refer_train.sources import TableSource, load_table
from robo_refer_train.words import WordRows, WordTrainer, collate, stage_arguments

WARM_UP = 1
DEPTH_STEPS_PER_M = 25.0
"""How stock TRL's images carry depth: as an 8-bit alpha channel."""


@dataclass(frozen=True)
class Cost:
    """What a side took.

    Attributes:
        cpu_s: CPU seconds per step, median.
        pictures: colour images that went through the tower, per step.
        questions: learnt from per step, mean.
        peak_mib: of the process, after loading.
    """

    cpu_s: float
    pictures: float
    questions: float
    peak_mib: float


def compare(config: RftConfig, steps: int) -> dict[str, Cost]:
    """Return the cost of a step of RFT and of SFT, each by us and by stock TRL."""
    sides = {"rft": _our_rft, "rft_trl": _stock_rft, "sft": _our_sft, "sft_trl": _stock_sft}
    context = multiprocessing.get_context("spawn")
    costs = {}
    for name, side in sides.items():
        with context.Pool(1) as pool:
            costs[name] = pool.apply(_measured, (side, config, WARM_UP + steps))
    return costs


def report(costs: dict[str, Cost]) -> str:
    """Return the comparison as two Markdown tables."""
    lines = []
    for title, ours, theirs in (("RFT", "rft", "rft_trl"), ("SFT", "sft", "sft_trl")):
        own, peer = costs[ours], costs[theirs]
        ratio = (own.questions / own.cpu_s) / (peer.questions / peer.cpu_s)
        lines += [
            f"| {title} | questions/step | CPU s/step | questions/CPU s | images encoded/step | "
            "peak MiB |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        for name, cost in (("ours", own), ("stock TRL", peer)):
            lines.append(
                f"| {name} | {cost.questions:g} | {cost.cpu_s:.2f} | "
                f"{cost.questions / cost.cpu_s:.2f} | {cost.pictures:.1f} | {cost.peak_mib:.0f} |"
            )
        lines += [f"| **ratio** | | | **{ratio:.1f}** | | {own.peak_mib / peer.peak_mib:.2f} |", ""]
    return "\n".join(lines)


class _Clock(TrainerCallback):
    """Takes the CPU time of every step, and counts what the RGB tower is shown."""

    def __init__(self, model: Any) -> None:
        self.seconds: list[float] = []
        self.pictures = 0
        self._start = 0.0
        model.model.vision_tower.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, module: Any, args: Any, kwargs: dict[str, Any]) -> None:
        self.pictures += len(kwargs["pixel_values"])

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._start = self._start or time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        now = time.process_time()
        self.seconds.append(now - self._start)
        self._start = now


def _measured(side: Callable[..., tuple[Any, Any, float]], config: RftConfig, steps: int) -> Cost:
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        short = replace(
            config,
            output=folder,
            steps=steps,
            save_steps=10_000,
            report_to=(),
            threads=1,
            resample_rounds=0,
            practise="",
            updates_per_rollout=1,  # stock TRL trips over depth where it needs old likelihoods
        )
        trainer, model, questions = side(short)
        clock = _Clock(model)
        trainer.add_callback(clock)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        trainer.train()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Cost(
        float(np.median(clock.seconds[WARM_UP:])),
        clock.pictures / steps,
        questions,
        (peak - before) / 1024,
    )


def _our_rft(config: RftConfig) -> tuple[Any, Any, float]:
    practice = prepare(config)
    trainer = build_trainer(config, practice)
    return trainer, practice.policy, config.prompts_per_step


def _stock_rft(config: RftConfig) -> tuple[Any, Any, float]:
    practice = prepare(config)
    set_trainable(practice.policy, config)
    order = build_trainer(config, practice).order
    rows: dict[str, list[Any]] = {"prompt": [], "image": [], "item": list(order)}
    for item in order:
        sample, text = practice.items.sample(item), practice.items.question(item).text
        depth = np.zeros(sample.rgb.shape[:2]) if sample.depth_m is None else sample.depth_m
        alpha = np.clip(depth * DEPTH_STEPS_PER_M, 0, 255).astype(np.uint8)
        rows["image"].append(Image.fromarray(np.dstack([sample.rgb, alpha])))
        rows["prompt"].append([{"role": "user", "content": text}])

    def reward(completions: Sequence[Any], item: Sequence[int], **_: Any) -> list[float | None]:
        texts = [completion[0]["content"] for completion in completions]
        return [score.value for score in practice.scorer(item, texts)]

    policy, processor = load_checkpoint(Path(config.start_from))
    set_trainable(policy, config)
    chat = _ChatProcessor(processor.tokenizer, processor.spec)
    trainer = GRPOTrainer(
        policy,
        [reward],
        args=arguments(config),
        train_dataset=Dataset.from_dict(rows),
        processing_class=chat,
    )
    return trainer, policy, config.prompts_per_step


class _ChatProcessor(RoboReferProcessor):
    """Our processor behind the interface of a chat model's, as stock TRL calls it."""

    chat_template = "{{ messages[0]['content'][-1]['text'] }}"

    def apply_chat_template(self, conversation: Any, tokenize: bool = False, **_: Any) -> Any:
        talks = conversation if isinstance(conversation[0], list) else [conversation]
        texts = [talk[0]["content"][-1]["text"] for talk in talks]
        if not tokenize:
            return texts if talks is conversation else texts[0]
        images = [
            [part["image"] for part in talk[0]["content"] if "image" in part] for talk in talks
        ]
        batch = self(images=images, text=texts)
        ids = [
            row[mask.bool()].tolist()
            for row, mask in zip(batch["input_ids"], batch.pop("attention_mask"), strict=True)
        ]
        return {**batch, "input_ids": ids}

    def __call__(self, images: Any, text: Any, *_: Any, **__: Any) -> Any:
        pictures = [np.asarray(group[0]) for group in images]
        return super().__call__(
            images=[np.ascontiguousarray(picture[..., :3]) for picture in pictures],
            depth=[picture[..., 3].astype(np.float32) / DEPTH_STEPS_PER_M for picture in pictures],
            text=text,
        )


def _sft(config: RftConfig, images: int, questions: int) -> tuple[Any, Any, Any]:
    model, processor = load_checkpoint(Path(config.start_from))
    stage = StageConfig("speed", config.steps, images, depth_share=1.0)
    settings = SftConfig(
        data=config.data,
        output=config.output,
        stages=(stage,),
        questions_per_image=questions,
        save_steps=config.save_steps,
        log_steps=config.steps,
        report_to=(),
    )
    source = TableSource(load_table(config.data))
    rows = WordRows(source, processor, settings, stage, seed=0)
    return model, rows, stage_arguments(settings, stage, Path(config.output))


def _our_sft(config: RftConfig) -> tuple[Any, Any, float]:
    model, rows, given = _sft(config, config.prompts_per_step // 2, 12)
    trainer = WordTrainer(model, given, data_collator=collate, train_dataset=rows)
    return trainer, model, _questions(rows) / config.steps


def _questions(rows: WordRows) -> int:
    """Return how many questions some rows have: not every picture has as many as are asked for."""
    return sum(len(rows[draw]["pairs"]) for draw in range(len(rows)))


def _stock_sft(config: RftConfig) -> tuple[Any, Any, float]:
    model, rows, given = _sft(config, config.prompts_per_step * 2, 1)
    plain = SFTConfig(
        output_dir=config.output,
        max_steps=given.max_steps,
        per_device_train_batch_size=given.per_device_train_batch_size,
        learning_rate=given.learning_rate,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        save_strategy="no",
        report_to=[],
        bf16=False,
        activation_checkpointing=False,
        train_sampling_strategy="sequential",
        use_cpu=given.use_cpu,
    )
    trainer = SFTTrainer(
        model,
        args=plain,
        train_dataset=Dataset.from_dict({"draw": range(len(rows))}),
        data_collator=lambda some: collate([rows[row["draw"]] for row in some]),
        processing_class=rows.processor.tokenizer,
    )
    return trainer, model, config.prompts_per_step * 2
