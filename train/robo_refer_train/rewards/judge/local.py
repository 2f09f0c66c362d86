"""A judge on this machine: a frozen instruct language model, with or without a LoRA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.checkpoints import fingerprint
from robo_refer_train.rewards.judge.digits import DigitPrompt, expected_grades
from robo_refer_train.rewards.judge.rubric import HIGHEST, PROBE, Case, Grade


class LocalGrader:
    """Grades by the expected digit.

    Args:
        model: folder of an instruct language model.
        adapter: folder of a LoRA that `robo-refer train judge` made, None without.
        batch: cases per forward pass.

    Raises:
        RoboReferError: BAD_CHECKPOINT.
    """

    def __init__(self, model: Path, adapter: Path | None = None, batch: int = 8) -> None:
        self.identity = " ".join(fingerprint(folder) for folder in (model, adapter) if folder)
        loaded, tokenizer = load_language_model(model)
        if adapter is not None:
            loaded = _with_adapter(loaded, adapter)
        self._folder, self._prompt, self._batch = model, DigitPrompt(tokenizer), batch
        self._model = loaded.eval().to("cuda" if torch.cuda.is_available() else "cpu")

    def grade(self, cases: Sequence[Case]) -> list[Grade]:
        """Return one grade per case, in their order."""
        grades: list[Grade] = []
        for start in range(0, len(cases), self._batch):
            batch = self._prompt.batch(cases[start : start + self._batch], self._model.device)
            with torch.inference_mode():
                digits = expected_grades(self._model, batch, self._prompt.digit_ids)
            grades += (
                # Probabilities may sum to a hair above 1.
                Grade(min(digit / HIGHEST, 1.0), f"the expected grade is {digit:.2f} of {HIGHEST}")
                for digit in digits.tolist()
            )
        return grades

    def probe(self) -> None:
        """Grade once; raises RoboReferError (BAD_CHECKPOINT) where this kind of model cannot."""
        try:
            self.grade([PROBE])
        except (TypeError, ValueError, RuntimeError) as error:
            raise _bad(self._folder, "judge", error) from error


def load_language_model(folder: Path) -> tuple[Any, Any]:
    """Return the model and the tokenizer of a folder.

    Raises:
        RoboReferError: BAD_CHECKPOINT.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, use_safetensors=True
        )
    except (OSError, ValueError, KeyError) as error:
        raise _bad(folder, "language model", error) from error
    return model, tokenizer


def _with_adapter(model: Any, folder: Path) -> Any:
    from peft import PeftModel

    if not (folder / "adapter_model.safetensors").exists():
        raise _bad(folder, "LoRA", "it has no adapter_model.safetensors")
    try:
        return PeftModel.from_pretrained(model, folder)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise _bad(folder, "LoRA of this model", error) from error


def _bad(folder: Path, what: str, error: object) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_CHECKPOINT,
        f"{folder} holds no usable {what}: {' '.join(str(error).split())[:200]}.",
        "Give a folder of transformers with safetensors weights.",
    )
