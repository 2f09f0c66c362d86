"""Reason-RFT's reward of numbers: the smaller the relative error, the better."""

from __future__ import annotations

import re
from dataclasses import dataclass

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import ramp

_QUANTITY = re.compile(r"([-+]?[0-9]{1,12}(?:\.[0-9]{1,12})?)\s{0,4}([a-z°%]{0,12})")
_UNITS: dict[str, tuple[str, float]] = {
    "": ("", 1.0),
    **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), ("m", 1.0)),
    "cm": ("m", 0.01),
    "mm": ("m", 0.001),
    **dict.fromkeys(("degrees", "degree", "deg", "°"), ("degrees", 1.0)),
    "%": ("%", 1.0),
}
"""Unit as written -> the unit that it is counted in, and how many of them."""


@dataclass(frozen=True)
class Numeric(Reward):
    """1 up to a relative error of `full`, 0 from `zero` on, half a cosine between.

    The answer is one number with the truth's unit (lengths may be in m, cm or mm), and nothing
    else. Where the truth is 0, only 0 is right.
    Source: Reason-RFT (arXiv:2503.20752).
    """

    full: float = 0.05
    zero: float = 0.20
    name = "numeric"

    def check(self, truth: Truth) -> None:
        """Refuse items whose answer is not a number with a known unit."""
        if _quantity(truth.reply) is None:
            raise cannot_serve(self.name, "no number with a known unit as its answer")

    def __call__(self, written: Written, truth: Truth) -> Score:
        said, right = _quantity(written.final or ""), _quantity(truth.reply)
        if said is None:
            return Score(0.0, "no single number with a known unit can be read")
        if right is None:
            raise cannot_serve(self.name, "no number with a known unit as its answer")
        if said[1] != right[1]:
            return Score(0.0, f"its unit is {said[1]!r} where {right[1]!r} was asked for")
        off = abs(said[0] - right[0])
        error = off / abs(right[0]) if right[0] else float(off > 0)
        return Score(ramp(error, self.full, self.zero), f"{error:.1%} off {truth.reply}")


def _quantity(text: str) -> tuple[float, str] | None:
    found = _QUANTITY.fullmatch(text.strip().lower())
    if found is None or found.group(2) not in _UNITS:
        return None
    unit, factor = _UNITS[found.group(2)]
    return float(found.group(1)) * factor, unit
