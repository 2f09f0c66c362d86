"""Supervised fine-tuning of a checkpoint of any size: the likelihood of answers, nothing else.

Several questions share the encoding of their image, as in `groups.py`: each is a branch of a tree
of tokens. Prompts are the processor's own, so that what is learnt is what is asked later.
"""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from peft import LoraConfig, PeftModel, get_peft_model
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainingArguments, set_seed
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from robo_refer.data.records import from_row
from robo_refer.data.sample import POINTING, Question, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.tiled_processing import TiledProcessor
from robo_refer.parsing import format_answer
from robo_refer.relative_depth import relative_depth
from robo_refer.tokens import quantise_answer
from robo_refer.types import Answer, FloatArray
from robo_refer_train.canvas import OnCanvas
from robo_refer_train.checkpoints import WholeCheckpoints, newest_whole
from robo_refer_train.config import (
    SftConfig,
    StageConfig,
    check_left_out,
    check_sft,
    keep_config,
    load_config,
    save_config,
)
from robo_refer_train.dataset import asked
from robo_refer_train.groups import Prompt, grow, tree_mask
from robo_refer_train.items import VISUAL, split_prompt
from robo_refer_train.rft import LORA_TARGETS
from robo_refer_train.sight import DepthAlways
from robo_refer_train.sources import Source, open_source

DONE_FILE = "done"
LEARNT = (*POINTING, "point")
"""Families that are learnt: all that are answered by pointing, also without a mask to score by."""


class WordRows(Dataset[dict[str, Any]]):
    """Rows of one image each, with questions and answers; row k is a function of (seed, k).

    Samples of which nothing is asked that is answered by pointing give way to the next one.
    """

    def __init__(
        self, source: Source, processor: Any, config: SftConfig, stage: StageConfig, seed: int
    ) -> None:
        self._source, self.processor = source, processor
        self._config, self._stage, self._seed = config, stage, seed
        self._visual = set(processor.tokenizer.convert_tokens_to_ids(list(VISUAL)))
        self._tiled = isinstance(processor, TiledProcessor)

    def __len__(self) -> int:
        return self._stage.steps * self._stage.batch_images

    def __getitem__(self, draw: int) -> dict[str, Any]:
        rng = np.random.default_rng([self._seed, draw, 1])
        both = self._stage.both_views and self._config.use_depth
        sample, questions = self._shown(draw // 2 if both else draw)
        share = self._stage.depth_share if self._config.use_depth else 0.0
        shown = bool(draw % 2) if both else bool(rng.random() < share)
        depth = self._depth(sample) if shown else None
        seen = self.processor.pixels([sample.rgb], [depth])
        pairs = []
        for text, answer, reason in asked(
            questions,
            sample.objects,
            self._config.questions_per_image,
            self._config.question_weights,
            rng,
        ):
            ids = self.processor.prompt(text, sample.rgb, depth, reason)
            written = self._answer(answer, sample.size)
            pairs.append((split_prompt(ids, draw, self._visual), written))
        return {"pairs": pairs, "seen": seen}

    def _shown(self, place: int) -> tuple[Sample, list[Question]]:
        """Return the sample of a draw, or the next one of which something is asked, and what.

        Raises:
            RoboReferError: BAD_FILE where there is none in a whole pass over the data.
        """
        for further in range(len(self._source)):
            sample = from_row(self._source.row(place + further, self._seed))
            questions = [question for question in sample.questions if self._is_asked(question)]
            if questions:
                return sample, questions
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            "The data has no question that is answered by pointing.",
            "Give a dataset made by 'robo-refer data generate' or 'robo-refer data import'.",
        )

    def _is_asked(self, question: Question) -> bool:
        weight = self._config.question_weights.get(question.kind, 1.0)
        return question.family in LEARNT and weight > 0

    def _depth(self, sample: Sample) -> FloatArray | NDArray[np.uint8] | None:
        """Return the depth that the processor reads; where there is nothing to see, none."""
        if not self._tiled:
            return sample.depth_m
        relative = sample.relative_depth
        if sample.depth_m is not None:
            relative = relative_depth(sample.depth_m)
        return None if relative is None else np.repeat(relative[..., None], 3, axis=2)

    def _answer(self, answer: Answer, size: tuple[int, int]) -> list[int]:
        """Return the tokens of an answer about a picture of (width, height) pixels.

        nano writes bins, in its canvas's coordinates; tiles are stretched over the whole picture.
        """
        tokenizer = self.processor.tokenizer
        if not self._tiled:
            answer = quantise_answer(OnCanvas.of(size, self.processor.spec).answer(answer))
        text = format_answer(answer)
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
        "use_cache": False,
        **_joined([row["seen"] for row in rows]),
    }


def _joined(seen: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return what a model sees of several samples; those without depth have no tiles of it."""
    names = sorted({name for part in seen for name in part})
    return {name: torch.cat([part[name] for part in seen if name in part]) for name in names}


class WordTrainer(WholeCheckpoints, Trainer):
    """Trainer whose rows come in their own order."""

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> Any:
        return SequentialSampler(train_dataset or self.train_dataset)


def run(config: SftConfig) -> Path:
    """Train every stage that is not done yet; return the folder of the final checkpoint.

    Raises:
        RoboReferError: before anything is trained: what `check` raises, BAD_REQUEST for the folder
            of another run, and what loading the checkpoint raises.
    """
    check(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    output = Path(config.output)
    keep_config(config, output, load_config)
    checkpoint = Path(config.start_from)
    for number, stage in enumerate(config.stages):
        checkpoint = _trained(config, stage, number, checkpoint)
        gc.collect()  # a trainer and its model hold each other
    final = output / "final"
    if int(os.environ.get("RANK", "0")) == 0:
        own = shutil.ignore_patterns(DONE_FILE, "training_args.bin")
        shutil.copytree(checkpoint, final, ignore=own, dirs_exist_ok=True)
        save_config(config, final / "training.yaml")
    return final


def check(config: SftConfig) -> None:
    """Do nothing where a run is possible at all.

    Raises:
        RoboReferError: BAD_REQUEST without a checkpoint to start from, for what only nano's own
            stages can do, and for numbers that do not fit together; MISSING_DEPENDENCY for a
            tracker that is not installed.
    """
    check_sft(config)
    if not config.start_from:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "The objective 'words' trains a checkpoint, and none is given.",
            "Give --start-from, for example a converted 2B.",
        )
    check_left_out(config, ("start_share", "half_weights"))
    for stage in config.stages:
        stage_arguments(config, stage, Path(config.output))
        if stage.trainable not in ("depth_projector", "language", "all"):
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The objective 'words' has no stage that trains {stage.trainable!r}.",
                "Train 'depth_projector', 'language' or 'all'.",
            )
        if stage.init_depth_from_rgb:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The stage {stage.name!r} asks for init_depth_from_rgb, which is nano's alone.",
                "Start from a checkpoint with a depth tower: robo-refer model convert.",
            )


def _trained(config: SftConfig, stage: StageConfig, number: int, start: Path) -> Path:
    """Return the folder of the checkpoint that a stage makes of the one in `start`."""
    folder, seed = Path(config.output) / stage.name, config.seed * 100 + number
    final = folder / "final"
    if (final / DONE_FILE).exists():
        return final
    set_seed(seed)  # adapters start from random numbers
    adapted = config.lora_rank > 0 and stage.trainable == "language"
    # What is trained is kept in float32: in bfloat16, small steps would be rounded away.
    dtype = "auto" if adapted else torch.float32
    model, processor = _whole(start, dtype=dtype)
    draws = stage.steps * stage.batch_images
    source = open_source(
        config.data, config.source_weights, stream=config.stream, draws=draws, seed=seed
    )
    _freeze(model, stage)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        DepthAlways(model)
    trained: Any = get_peft_model(model, _adapters(config)) if adapted else model
    trainer = WordTrainer(
        trained,
        stage_arguments(config, stage, folder),
        data_collator=collate,
        train_dataset=WordRows(source, processor, config, stage, seed),
    )
    trainer.train(resume_from_checkpoint=newest_whole(folder))
    # Not the model's own save_pretrained: where weights are split, every process has a part.
    trainer.save_model(str(folder / "adapter" if adapted else final))
    trainer.accelerator.wait_for_everyone()
    if trainer.is_world_process_zero():
        if adapted:
            whole, _ = _whole(start)
            merged = PeftModel.from_pretrained(whole, folder / "adapter").merge_and_unload()
            merged.save_pretrained(final)
        processor.save_pretrained(final)
        (final / DONE_FILE).touch()
    trainer.accelerator.wait_for_everyone()
    return final


def _whole(folder: Path, **options: Any) -> tuple[RoboReferForConditionalGeneration, Any]:
    """Return model and processor of a checkpoint, with all of its weights in this process.

    Once a trainer has split weights by ZeRO-3, transformers splits whatever is loaded, and waits
    for the other processes to load it too.
    """
    unset_hf_deepspeed_config()
    return load_checkpoint(folder, **options)


def _adapters(config: SftConfig) -> LoraConfig:
    return LoraConfig(
        r=config.lora_rank, lora_alpha=2 * config.lora_rank, target_modules=LORA_TARGETS
    )


def _freeze(model: RoboReferForConditionalGeneration, stage: StageConfig) -> None:
    """Freeze what the stage does not train."""
    model.requires_grad_(stage.trainable == "all")
    if stage.trainable == "depth_projector":
        model.model.depth_projector.requires_grad_(True)
    elif stage.trainable == "language":
        model.model.language_model.requires_grad_(True)
        model.lm_head.requires_grad_(True)


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
        ddp_find_unused_parameters=True,  # the last layer of a tower may be read by nothing
    )
