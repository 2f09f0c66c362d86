"""What a scoring mode says about one answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """The score of one answer.

    Attributes:
        score: 0 to 1.
        reason: why it is less than 1: "" or "outside" for an answer that could be read; else what
            kept it from being read ("unparsable_answer", "no_answer", "backend_timeout" ...).
        counted: whether it stays in the denominator. Always in `strict`; the released script
            leaves out what it fails to parse.
    """

    score: float
    reason: str = ""
    counted: bool = True
