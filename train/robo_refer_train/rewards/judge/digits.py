"""The grade that a language model is about to write, read off its probabilities of ten digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards.judge.rubric import HIGHEST, RUBRIC, Case

_OPENINGS = (('{"score": ', "{}"), ('{"score":', " {}"))
"""What the judge's reply begins with, and how a digit follows: one token in most tokenizers."""


class DigitPrompt:
    """Cases as left-padded batches that end where the judge's digit comes next.

    Args:
        tokenizer: of an instruction-tuned model, with its chat template where it has one.

    Raises:
        RoboReferError: BAD_CHECKPOINT when a digit is not one token.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._opening, self.digit_ids = _opening(tokenizer)
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token

    def batch(self, cases: Sequence[Case], device: torch.device | str = "cpu") -> dict[str, Any]:
        """Return input_ids and attention_mask, both (cases, tokens)."""
        encoded = self._tokenizer(
            [self._text(case) for case in cases],
            padding=True,
            return_tensors="pt",
            add_special_tokens=False,
        )
        return {name: encoded[name].to(device) for name in ("input_ids", "attention_mask")}

    def _text(self, case: Case) -> str:
        if not self._tokenizer.chat_template:
            return f"{RUBRIC}\n\n{case.question()}\n\n{self._opening}"
        messages = [
            {"role": "system", "content": RUBRIC},
            {"role": "user", "content": case.question()},
        ]
        start: str = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return start + self._opening


def expected_grades(model: Any, batch: dict[str, Any], digit_ids: Sequence[int]) -> torch.Tensor:
    """Return (cases,): the mean digit by the model's probabilities of the ten, 0 to 9.

    Smoother than the one digit that it would write, and there is nothing to parse.
    """
    logits = model(**batch, logits_to_keep=1).logits[:, -1, list(digit_ids)].float()
    digits = torch.arange(HIGHEST + 1, dtype=torch.float32, device=logits.device)
    return logits.softmax(dim=-1) @ digits


def _opening(tokenizer: Any) -> tuple[str, tuple[int, ...]]:
    for opening, form in _OPENINGS:
        start = tokenizer(opening, add_special_tokens=False)["input_ids"]
        found = []
        for digit in range(HIGHEST + 1):
            whole = tokenizer(opening + form.format(digit), add_special_tokens=False)["input_ids"]
            if whole[:-1] == start:
                found.append(whole[-1])
        if len(set(found)) == HIGHEST + 1:
            return opening, tuple(found)
    raise RoboReferError(
        ErrorCode.BAD_CHECKPOINT,
        "The judge's tokenizer does not write every digit as a token of its own.",
        "Choose another judge, such as one of the Qwen2.5-Instruct family.",
    )
