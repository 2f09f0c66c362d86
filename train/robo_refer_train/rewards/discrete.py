"""Reason-RFT's reward of discrete answers."""

from __future__ import annotations

from dataclasses import dataclass

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve


@dataclass(frozen=True)
class Discrete(Reward):
    """1 if the answer is the truth to the letter, or the same number; else 0.

    Source: Reason-RFT (arXiv:2503.20752). Its fallback to symbolic mathematics over the whole
    text is left out: it finds the truth in any list of guesses.
    """

    name = "discrete"

    def check(self, truth: Truth) -> None:
        """Refuse items without an answer in words or as a number."""
        if not truth.reply.strip():
            raise cannot_serve(self.name, "no answer in words")

    def __call__(self, written: Written, truth: Truth) -> Score:
        said, right = _plain(written.final or ""), _plain(truth.reply)
        same = said == right or (_number(said) is not None and _number(said) == _number(right))
        return Score(float(same), f"it says {said[:40]!r}; right is {right!r}")


def _plain(text: str) -> str:
    return " ".join(text.split())


def _number(text: str) -> float | None:
    """Return the value of a plain decimal number; NaN, powers and underscores are none."""
    digits = text.removeprefix("-").replace(".", "", 1)
    return float(text) if digits.isascii() and digits.isdigit() else None
