"""Supervised fine-tuning: stages on Hugging Face's Trainer.

transformers' `Trainer` and not TRL's `SFTTrainer`: what the latter adds (dataset preparation, its
own packing, its fused hard-label loss) is what this recipe replaces: several questions per image
behind a block mask, soft coordinate targets, auxiliary heads.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn
from torch.utils.data import Dataset, SequentialSampler
from transformers import Trainer, TrainingArguments, set_seed

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
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
from robo_refer_train.dataset import CELL_PX, Classes, Collator, TrainingRows
from robo_refer_train.heads import TrainingModel
from robo_refer_train.nano import (
    build_model,
    build_processor,
    canvas_spec,
    class_words,
    copy_rgb_into_depth,
    load_start,
    number_ids,
    opener_ids,
)
from robo_refer_train.optimizer import MuonAdamW
from robo_refer_train.packing import Packer
from robo_refer_train.sources import load_table, open_source

DONE_FILE = "stage_done.json"
WEIGHTS_FILE = "weights.safetensors"


class StageTrainer(WholeCheckpoints, Trainer):
    """Trainer whose rows come in their own order and whose loss parts are logged."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parts: dict[str, list[float]] = defaultdict(list)

    def _get_train_sampler(self, train_dataset: Dataset[Any] | None = None) -> Any:
        return SequentialSampler(train_dataset or self.train_dataset)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """Return Muon for matrices and AdamW for the rest."""
        given = self.args
        self.optimizer = MuonAdamW(
            [(n, p) for n, p in (model or self.model).named_parameters() if p.requires_grad],
            learning_rate=given.learning_rate,
            betas=(given.adam_beta1, given.adam_beta2),
            weight_decay=given.weight_decay,
        )
        return self.optimizer

    def compute_loss(
        self, model: nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Return the weighted loss and remember its parts."""
        parts = model(**inputs)
        loss: torch.Tensor = parts.pop("loss")
        for name, value in parts.items():
            self._parts[name].append(float(value))
        return loss

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log the mean of every part since the last time."""
        for name, values in self._parts.items():
            if values:
                logs[f"loss_{name}"] = round(sum(values) / len(values), 4)
        self._parts.clear()
        super().log(logs, *args, **kwargs)


def set_trainable(training: TrainingModel, stage: StageConfig) -> None:
    """Freeze what the stage does not train."""
    inner = training.model.model
    training.sees_only = stage.trainable == "vision"
    training.requires_grad_(stage.trainable in ("all", "all_but_depth"))
    if stage.trainable == "all_but_depth":
        inner.depth_tower.requires_grad_(False)
        inner.depth_projector.requires_grad_(False)
    elif stage.trainable == "depth_projector":
        inner.depth_projector.requires_grad_(True)
    elif stage.trainable == "vision":
        for part in (inner.vision_tower, inner.vision_projector, training.dense):
            part.requires_grad_(True)
        inner.get_input_embeddings().requires_grad_(True)


def compile_layers(model: RoboReferForConditionalGeneration) -> None:
    """Compile every transformer layer by itself: a quarter less time per step on a CPU.

    Not the stems: the compiler's group norms are slower there than the library's.
    """
    inner = model.model
    layers = [*inner.vision_tower.layers, *inner.depth_tower.layers, *inner.language_model.layers]
    for layer in layers:
        layer.compile(dynamic=True)


def _arguments(config: SftConfig, stage: StageConfig, folder: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=stage.steps,
        per_device_train_batch_size=stage.batch_images,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="warmup_stable_decay",
        warmup_steps=stage.warmup_steps,
        lr_scheduler_kwargs={
            "num_decay_steps": max(1, stage.decay_steps),
            "decay_type": "linear",
            "min_lr_ratio": 0.02,
        },
        adam_beta2=0.97,
        weight_decay=config.weight_decay,
        max_grad_norm=1.0,
        bf16=config.bf16,
        activation_checkpointing=config.gradient_checkpointing,
        seed=config.seed,
        save_steps=config.save_steps,
        save_total_limit=2,
        logging_steps=config.log_steps,
        report_to=list(config.report_to),
        dataloader_num_workers=1,
        dataloader_prefetch_factor=4,
        remove_unused_columns=False,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
    )


def run(config: SftConfig) -> Path:
    """Train every stage that is not done yet; return the folder of the final checkpoint.

    A stage that was killed resumes from its last checkpoint with the same rows and losses.

    Raises:
        RoboReferError: before anything is trained: what `check` raises, BAD_REQUEST for the folder
            of another run, BAD_FILE for data, BAD_CHECKPOINT for a checkpoint of another shape.
    """
    check(config)
    if config.threads:
        torch.set_num_threads(config.threads)
    set_seed(config.seed)
    output = Path(config.output)
    keep_config(config, output, load_config)
    table = load_table(config.data, ("objects", "questions"))
    processor, classes = _processor(config, output, table)
    model = _begun(config, processor)
    training = TrainingModel(
        model,
        number_ids(processor.tokenizer),
        class_words(processor.tokenizer, classes),
        heatmap_weight=config.heatmap_weight,
        dense_weight=config.dense_weight,
        bin_sigma=config.bin_sigma,
    )
    if config.compile:
        compile_layers(model)
    done = [s for s in config.stages if (output / s.name / DONE_FILE).exists()]
    if done:
        load_model(training, output / done[-1].name / WEIGHTS_FILE)
    for number, stage in enumerate(config.stages):
        if stage not in done:
            _run_stage(config, stage, number, training, processor, classes)
    if config.start_share:
        mix_into(model, _begun(config, processor), config.start_share)
    if config.half_weights:
        round_to_half(model)
    final = output / "final"
    model.save_pretrained(final)
    processor.save_pretrained(final)
    save_config(config, final / "training.yaml")
    return final


@torch.no_grad()
def mix_into(model: nn.Module, start: nn.Module, start_share: float) -> None:
    """Make a model's weights a mean of its own and the start's, with that share of the latter."""
    for own, began in zip(model.parameters(), start.parameters(), strict=True):
        own.lerp_(began, start_share)


@torch.no_grad()
def round_to_half(model: nn.Module) -> None:
    """Round a model's weights to the nearest numbers that float16 holds; they stay in float32."""
    for parameter in model.parameters():
        parameter.copy_(parameter.half())


def check(config: SftConfig) -> None:
    """Do nothing where a run is possible at all.

    Raises:
        RoboReferError: BAD_REQUEST for what only the objective 'words' can do, for numbers that
            make no sense and for several processes; MISSING_DEPENDENCY for a tracker that is not
            installed.
    """
    check_sft(config)
    check_left_out(config, ("lora_rank", "images_per_pass"))
    if not config.start_from and not config.text:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "The config neither says what the decoder is, nor starts from a checkpoint.",
            "Give text, as in train/configs/nano_sft.yaml, or start_from.",
        )
    if config.start_share and not (config.start_from and 0 < config.start_share < 1):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"start_share is {config.start_share}: it has to lie below 1, and needs a start_from.",
            "Set start_share: 0, or give the checkpoint that the run starts from.",
        )
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # set by accelerate and torchrun
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "The objective 'nano' is trained by one process.",
            "Start it without a launcher, or train with objective: words.",
        )


def _begun(config: SftConfig, processor: RoboReferProcessor) -> RoboReferForConditionalGeneration:
    if not config.start_from:
        return build_model(config, processor.tokenizer)
    with _reading(config.start_from):
        return load_start(config, processor.tokenizer)


@contextmanager
def _reading(folder: str) -> Iterator[None]:
    """Say what is wrong with a checkpoint that is read inside: missing, damaged, another shape."""
    try:
        yield
    except (OSError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300].rstrip(".")
        raise RoboReferError(
            ErrorCode.BAD_CHECKPOINT,
            f"The run cannot start from {folder}: {reason}.",
            "Give a checkpoint whose vision, depth, text and words are those of the config.",
        ) from error


def _processor(config: SftConfig, output: Path, table: Any) -> tuple[RoboReferProcessor, Classes]:
    """Return the run's processor and classes; a resumed run keeps those it began with."""
    folder, words = output / "processor", output / "classes.json"
    if words.exists():
        fields = {key: tuple(value) for key, value in json.loads(words.read_text()).items()}
        return RoboReferProcessor.from_pretrained(folder), Classes(**fields)
    classes = Classes.of(table)
    if config.start_from:
        with _reading(config.start_from):
            began = RoboReferProcessor.from_pretrained(config.start_from)
        processor = RoboReferProcessor(began.tokenizer, canvas_spec(config))
    else:
        processor = build_processor(config, table)
    processor.save_pretrained(folder)
    words.write_text(json.dumps(classes.__dict__, indent=1))
    return processor, classes


def _run_stage(
    config: SftConfig,
    stage: StageConfig,
    number: int,
    training: TrainingModel,
    processor: RoboReferProcessor,
    classes: Classes,
) -> None:
    folder = Path(config.output) / stage.name
    if stage.init_depth_from_rgb:
        copy_rgb_into_depth(training.model)
    set_trainable(training, stage)
    spec = processor.spec
    draws, seed = stage.steps * stage.batch_images, config.seed * 100 + number
    source = open_source(
        config.data, config.source_weights, stream=config.stream, draws=draws, seed=seed
    )
    rows = TrainingRows(
        source,
        Packer(processor.tokenizer.backend_tokenizer, spec.image_tokens, spec.depth_tokens),
        spec,
        classes,
        draws=draws,
        seed=seed,
        questions=config.questions_per_image,
        depth_share=stage.depth_share if config.use_depth else 0.0,
        weights=config.question_weights,
        both_views=stage.both_views and config.use_depth,
    )
    numbers = number_ids(processor.tokenizer)
    collator = Collator(
        range(numbers.first, numbers.first + numbers.bins),
        opener_ids(processor.tokenizer),
        (spec.height // CELL_PX // config.merge, spec.width // CELL_PX // config.merge),
    )
    trainer = StageTrainer(
        training, _arguments(config, stage, folder), data_collator=collator, train_dataset=rows
    )
    result = trainer.train(resume_from_checkpoint=newest_whole(folder))
    folder.mkdir(parents=True, exist_ok=True)
    save_model(training, str(folder / WEIGHTS_FILE))
    (folder / DONE_FILE).write_text(json.dumps({"loss": result.training_loss}))
