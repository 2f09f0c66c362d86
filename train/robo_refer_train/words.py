"""Supervised fine-tuning of a checkpoint of any size: the likelihood of answers, nothing else.

Several questions share the encoding of their image, as in `groups.py`: each is a branch of a tree
of tokens. Prompts are the processor's own, so that what is learnt is what is asked later.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainingArguments

from robo_refer.data.records import from_row
from robo_refer.data.sample import POINTING, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.parsing import format_answer
from robo_refer.tokens import quantise_answer
from robo_refer_train.checkpoints import WholeCheckpoints, newest_whole
from robo_refer_train.config import SftConfig, StageConfig, save_config
from robo_refer_train.dataset import REASON_SHARE, written_answer
from robo_refer_train.groups import Prompt, grow, tree_mask
from robo_refer_train.items import VISUAL, joined, split_prompt
from robo_refer_train.rft import LORA_TARGETS
from robo_refer_train.sources import Source, open_source

DONE_FILE = "done"


class WordRows(Dataset[dict[str, Any]]):
    """Rows of one image each, with questions and answers; row k is a function of (seed, k)."""

    def __init__(
        self, source: Source, processor: Any, config: SftConfig, stage: StageConfig, seed: int
    ) -> None:
        self._source, self.processor = source, processor
        self._config, self._stage, self._seed = config, stage, seed
        self._visual = set(processor.tokenizer.convert_tokens_to_ids(list(VISUAL)))

    def __len__(self) -> int:
        return self._stage.steps * self._stage.batch_images

    def __getitem__(self, draw: int) -> dict[str, Any]:
        rng = np.random.default_rng([self._seed, draw, 1])
        both = self._stage.both_views and self._config.use_depth
        sample = from_row(self._source.row(draw // 2 if both else draw, self._seed))
        share = self._stage.depth_share if self._config.use_depth else 0.0
        shown = bool(draw % 2) if both else bool(rng.random() < share)
        depth_m = sample.depth_m if shown else None
        pairs, seen = [], None
        for text, answer, reason in self._asked(sample, rng):
            encoded = self.processor(
                images=[sample.rgb], depth=[depth_m], text=[text], reason=reason
            )
            seen = seen or encoded
            prompt = split_prompt(encoded["input_ids"][0].tolist(), draw, self._visual)
            pairs.append((prompt, self._answer(answer)))
        return {"pairs": pairs, "seen": seen}

    def _asked(self, sample: Sample, rng: np.random.Generator) -> list[tuple[str, str, bool]]:
        pointing = [question for question in sample.questions if question.family in POINTING]
        count = min(self._config.questions_per_image, len(pointing))
        weights = np.array([self._config.question_weights.get(q.kind, 1.0) for q in pointing])
        chosen = rng.choice(len(pointing), count, replace=False, p=weights / weights.sum())
        asked = []
        for question in (pointing[number] for number in chosen):
            reason = bool(rng.random() < REASON_SHARE)
            answer = written_answer(question, sample.objects, reason)
            asked.append((question.text, format_answer(quantise_answer(answer)), reason))
        return asked

    def _answer(self, text: str) -> list[int]:
        tokenizer = self.processor.tokenizer
        return [*tokenizer(text, add_special_tokens=False).input_ids, tokenizer.eos_token_id]


def collate(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the batch of some rows: a tree of tokens per image, and what is seen of each."""
    pairs: list[tuple[Prompt, list[int]]] = [pair for row in rows for pair in row["pairs"]]
    tree = grow([prompt for prompt, _ in pairs], [answer for _, answer in pairs])
    question, answer = torch.from_numpy(tree.question_ids), torch.from_numpy(tree.answer_ids)
    return {
        "input_ids": torch.from_numpy(tree.input_ids),
        "position_ids": torch.from_numpy(tree.position_ids),
        "attention_mask": tree_mask(question, answer),
        "labels": torch.from_numpy(tree.labels),
        **joined([row["seen"] for row in rows]),
    }


class WordTrainer(WholeCheckpoints, Trainer):
    """Trainer whose rows come in their own order."""

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> Any:
        return SequentialSampler(train_dataset or self.train_dataset)


def run(config: SftConfig) -> Path:
    """Train every stage that is not done yet; return the folder of the final checkpoint.

    Raises:
        RoboReferError: BAD_REQUEST without a checkpoint to start from; what loading it raises.
    """
    if not config.start_from:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "The objective 'words' trains a checkpoint, and none is given.",
            "Give --start-from, for example a converted 2B.",
        )
    output = Path(config.output)
    save_config(config, output / "config.yaml")
    model, processor = load_checkpoint(Path(config.start_from))
    for number, stage in enumerate(config.stages):
        weights = output / stage.name / "final"
        if not (weights / DONE_FILE).exists():
            _train_stage(config, stage, number, model, processor)
        else:
            model.load_state_dict(load_file(weights / "model.safetensors"), strict=False)
    final = output / "final"
    model.save_pretrained(final)
    processor.save_pretrained(final)
    save_config(config, final / "training.yaml")
    return final


def _train_stage(
    config: SftConfig,
    stage: StageConfig,
    number: int,
    model: RoboReferForConditionalGeneration,
    processor: Any,
) -> None:
    folder, seed = Path(config.output) / stage.name, config.seed * 100 + number
    draws = stage.steps * stage.batch_images
    source = open_source(
        config.data, config.source_weights, stream=config.stream, draws=draws, seed=seed
    )
    _freeze(model, stage)
    adapted = config.lora_rank > 0 and stage.trainable == "language"
    trained: Any = model
    if adapted:
        lora = LoraConfig(
            r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=LORA_TARGETS
        )
        trained = get_peft_model(model, lora)
    trainer = WordTrainer(
        trained,
        stage_arguments(config, stage, folder),
        data_collator=collate,
        train_dataset=WordRows(source, processor, config, stage, seed),
    )
    trainer.train(resume_from_checkpoint=newest_whole(folder))
    if adapted:
        trained.merge_and_unload()
    final = folder / "final"
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        model.save_pretrained(final, max_shard_size="1TB")
        (final / DONE_FILE).touch()


def _freeze(model: RoboReferForConditionalGeneration, stage: StageConfig) -> None:
    """Freeze what the stage does not train.

    Raises:
        RoboReferError: BAD_REQUEST for a stage of nano's own.
    """
    inner = model.model
    model.requires_grad_(stage.trainable == "all")
    if stage.trainable == "depth_projector":
        inner.depth_projector.requires_grad_(True)
    elif stage.trainable == "language":
        inner.language_model.requires_grad_(True)
        model.lm_head.requires_grad_(True)
    elif stage.trainable != "all":
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The objective 'words' has no stage that trains {stage.trainable!r}.",
            "Train 'depth_projector', 'language' or 'all'.",
        )


def stage_arguments(config: SftConfig, stage: StageConfig, folder: Path) -> TrainingArguments:
    """Return a stage as transformers reads it.

    Raises:
        RoboReferError: BAD_REQUEST for numbers that do not fit together.
    """
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    per_pass = config.images_per_pass or max(1, stage.batch_images // processes)
    passes, rest = divmod(stage.batch_images, per_pass * processes)
    if rest or not passes:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"batch_images is {stage.batch_images}, which is no multiple of {per_pass} images per "
            f"pass times {processes} processes.",
            "Change one of the three.",
        )
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=stage.steps,
        per_device_train_batch_size=per_pass,
        gradient_accumulation_steps=passes,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        warmup_steps=stage.warmup_steps,
        lr_scheduler_kwargs={"num_decay_steps": max(1, stage.decay_steps), "min_lr_ratio": 0.02},
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        seed=config.seed,
        bf16=config.bf16,
        activation_checkpointing=config.gradient_checkpointing,
        save_steps=config.save_steps,
        save_total_limit=2,
        logging_steps=config.log_steps,
        report_to=list(config.report_to),
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
    )
