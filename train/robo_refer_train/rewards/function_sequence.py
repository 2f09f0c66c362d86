"""Reason-RFT's reward of sequences of function calls, such as `change_color(cube_1, red)`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import matched_share

Call = tuple[str, str, str]
"""Function, object, value."""

_WORD = r"[^\s(),]+"
_CALL = re.compile(rf"\s*({_WORD})\(\s*({_WORD})\s*,\s*({_WORD})\s*\)\s*,?")
_MAX_CALLS = 200


@dataclass(frozen=True)
class FunctionSequence(Reward):
    """The mean credit of calls `f(object, value)`, paired one to one with the truth's.

    A pair earns 1 if all of it is right, 0.5 for the function with one of its arguments, 0.25 for
    the function alone, and 0 without it. What is left over on either side counts as 0.
    Source: Reason-RFT (arXiv:2503.20752) and its code, whose factor against repeated calls is not
    needed where every call of the truth is paired once.
    """

    part: float = 0.5
    function_alone: float = 0.25
    name = "function_sequence"

    def check(self, truth: Truth) -> None:
        """Refuse items whose answer is not a sequence of calls."""
        if not read_calls(truth.reply):
            raise cannot_serve(self.name, "no sequence of function calls as its answer")

    def __call__(self, written: Written, truth: Truth) -> Score:
        said, right = read_calls(written.final or ""), read_calls(truth.reply)
        if not said:
            return Score(0.0, "no sequence of function calls can be read")
        credit = np.array([[self._credit(a, b) for b in right] for a in said])
        return Score(matched_share(credit), f"{len(said)} calls for {len(right)}")

    def _credit(self, written: Call, true: Call) -> float:
        if written[0] != true[0]:
            return 0.0
        arguments = (written[1] == true[1]) + (written[2] == true[2])
        return (self.function_alone, self.part, 1.0)[arguments]


def read_calls(text: str) -> list[Call]:
    """Return the calls, separated by commas or spaces; none if anything else is between them."""
    calls: list[Call] = []
    place, text = 0, text.strip()
    while place < len(text):
        found = _CALL.match(text, place)
        if found is None or len(calls) == _MAX_CALLS:
            return []
        function, thing, value = found.groups()
        calls.append((function, thing, value))
        place = found.end()
    return calls
