"""Visual-RFT's reward of labels, made safe."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve


@dataclass(frozen=True)
class Classification(Reward):
    """1 if the answer is the label, whatever its case, spaces and punctuation; else 0.

    Visual-RFT (arXiv:2503.01785) takes either string within the other: an empty answer is within
    every label, and a list of all labels holds each of them. Here only the label itself is right.
    """

    name = "classification"

    def check(self, truth: Truth) -> None:
        """Refuse items without a label."""
        if not _plain(truth.reply):
            raise cannot_serve(self.name, "no answer in words")

    def __call__(self, written: Written, truth: Truth) -> Score:
        right = _plain(written.final or "") == _plain(truth.reply)
        return Score(float(right), f"it says {_shown(written)}; the label is {truth.reply!r}")


def _plain(text: str) -> str:
    """Return letters and digits alone, in one case."""
    return "".join(
        character
        for character in unicodedata.normalize("NFKC", text).casefold()
        if character.isalnum()
    )


def _shown(written: Written) -> str:
    return repr((written.final or "")[:40])
