"""`robo-refer train judge`: fits a LoRA to pairs of which one answer was preferred."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import logsigmoid
from transformers import Trainer, TrainingArguments, set_seed

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.checkpoints import WholeCheckpoints, newest_whole
from robo_refer_train.config import check_least
from robo_refer_train.reward_config import JudgeTraining
from robo_refer_train.rewards.judge.digits import DigitPrompt, expected_grades
from robo_refer_train.rewards.judge.local import load_language_model
from robo_refer_train.rewards.judge.pairs import Pair, PairReport, both, read_pairs, report
from robo_refer_train.rewards.judge.rubric import HIGHEST

SETTINGS_FILE = "judge.json"
ADAPTER_FOLDER = "adapter"


class PairTrainer(WholeCheckpoints, Trainer):
    """Bradley-Terry: the chosen answer's grade shall be above the rejected one's."""

    def __init__(self, digit_ids: Sequence[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._digit_ids = digit_ids

    def compute_loss(
        self, model: torch.nn.Module, inputs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        """Return -log sigma(grade of the chosen - grade of the rejected), their mean."""
        chosen, rejected = expected_grades(model, inputs, self._digit_ids).chunk(2)
        return -logsigmoid(chosen - rejected).mean()


def run(config: JudgeTraining) -> PairReport:
    """Fit the adapter, write it to `output/adapter`, and return how it does on held-out pairs.

    Raises:
        RoboReferError: BAD_FILE for the pairs, BAD_CHECKPOINT for the model, BAD_REQUEST when
            `output` holds a run with other settings, and for numbers below 1.
    """
    check_least(config, {"rank": 1, "batch_pairs": 1, "save_steps": 1})
    pairs = read_pairs(config.pairs)
    train, held = _split(pairs, config)
    _settle(config)
    set_seed(config.seed)
    model, tokenizer = load_language_model(config.model)
    prompt = DigitPrompt(tokenizer)
    before = _preferences(model, prompt, held, config.batch_pairs)
    model = _with_lora(model, config.rank)
    with redirect_stdout(sys.stderr):  # Trainer prints its logs where the report belongs
        _trainer(config, model, prompt, train).train(
            resume_from_checkpoint=newest_whole(config.output)
        )
    model.save_pretrained(config.output / ADAPTER_FOLDER)
    found = report(held, before, _preferences(model, prompt, held, config.batch_pairs))
    text = json.dumps({"settings": _plain(config), "held_out": asdict(found)}, indent=1)
    (config.output / SETTINGS_FILE).write_text(text + "\n", encoding="utf-8")
    return found


def _split(pairs: Sequence[Pair], config: JudgeTraining) -> tuple[list[Pair], list[Pair]]:
    """Return training and held-out pairs; pairs about one instruction stay together."""
    asked = sorted({pair.instruction for pair in pairs})
    count = round(config.held_out * len(asked))
    if not 0 < count < len(asked):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"A share of {config.held_out:g} of {len(asked)} instructions leaves nothing to train "
            "on or nothing to hold out.",
            "Give more pairs, or another 'held-out'.",
        )
    order = np.random.default_rng(config.seed).permutation(len(asked))
    held = {asked[number] for number in order[:count]}
    return (
        [pair for pair in pairs if pair.instruction not in held],
        [pair for pair in pairs if pair.instruction in held],
    )


def _settle(config: JudgeTraining) -> None:
    """Write the settings of a new run; refuse to go on with those of another."""
    path = config.output / SETTINGS_FILE
    if not path.exists():
        config.output.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"settings": _plain(config)}, indent=1) + "\n", encoding="utf-8")
        return
    if json.loads(path.read_text(encoding="utf-8"))["settings"] != _plain(config):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{config.output} holds a judge that is trained with other settings.",
            "Name another output, or remove that one.",
        )


def _plain(config: JudgeTraining) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(config).items()
    }


def _with_lora(model: Any, rank: int) -> Any:
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(
        r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, lora)


def _trainer(
    config: JudgeTraining, model: Any, prompt: DigitPrompt, pairs: list[Pair]
) -> PairTrainer:
    def collate(rows: list[Pair]) -> dict[str, Any]:
        return prompt.batch(both(rows))

    return PairTrainer(
        prompt.digit_ids,
        model=model,
        args=TrainingArguments(
            output_dir=str(config.output),
            per_device_train_batch_size=config.batch_pairs,
            num_train_epochs=config.epochs,
            learning_rate=config.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.03,
            save_steps=config.save_steps,
            save_total_limit=2,
            logging_steps=10,
            report_to=[],
            seed=config.seed,
            remove_unused_columns=False,
            use_cpu=not torch.cuda.is_available(),
            dataloader_pin_memory=torch.cuda.is_available(),
        ),
        data_collator=collate,
        train_dataset=pairs,
    )


def _preferences(
    model: Any, prompt: DigitPrompt, pairs: Sequence[Pair], batch_pairs: int
) -> list[float]:
    """Return, for every pair, how much higher the chosen answer is graded, -1 to 1."""
    model.eval()
    margins: list[float] = []
    for start in range(0, len(pairs), batch_pairs):
        rows = pairs[start : start + batch_pairs]
        with torch.inference_mode():
            batch = prompt.batch(both(rows), model.device)
            chosen, rejected = expected_grades(model, batch, prompt.digit_ids).chunk(2)
        margins += ((chosen - rejected) / HIGHEST).tolist()
    return margins
