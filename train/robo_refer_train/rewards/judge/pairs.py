"""Pairs of answers of which one was preferred, and how well a judge agrees with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics.significance import Interval, mcnemar, wilson
from robo_refer_train.rewards.judge.rubric import MAX_RESPONSE_CHARACTERS, Case


@dataclass(frozen=True)
class Pair:
    """Two answers to one instruction, as they were written, the better one first.

    `reference` is the right answer where it is known, else "".
    """

    instruction: str
    chosen: str
    rejected: str
    reference: str = ""

    def case(self, response: str) -> Case:
        """Return one of the two as a judge sees it."""
        return Case(self.instruction, response, self.reference)


@dataclass(frozen=True)
class PairReport:
    """How often the chosen answer of held-out pairs is preferred, with 95 % intervals.

    Attributes:
        pairs: how many were held out.
        before, after: by the judge without and with its LoRA.
        longer: by the rule that the longer answer is better: the control.
        p: McNemar's, that before and after are equally often right.
    """

    pairs: int
    before: Interval
    after: Interval
    longer: Interval
    p: float

    def table(self) -> str:
        """Return it for people to read."""
        rows = (
            ("with the LoRA", self.after),
            ("without it", self.before),
            ("the longer answer", self.longer),
        )
        lines = [f"prefers the chosen answer of {self.pairs} held-out pairs:"]
        lines += [
            f"  {name:<18} {found.estimate:6.1%}  [{found.low:.1%}, {found.high:.1%}]"
            for name, found in rows
        ]
        return "\n".join([*lines, f"  with against without: p = {self.p:.3g} (McNemar)"])


def both(pairs: Sequence[Pair]) -> list[Case]:
    """Return the chosen answers of some pairs, then the rejected ones."""
    chosen = [pair.case(pair.chosen) for pair in pairs]
    return chosen + [pair.case(pair.rejected) for pair in pairs]


def read_pairs(path: Path) -> list[Pair]:
    """Return the pairs of a file of JSON lines.

    Raises:
        RoboReferError: BAD_FILE naming the first line that is no pair.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise _bad_file(path, f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _bad_file(path, "is not text in UTF-8") from error
    return [_pair(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def report(pairs: Sequence[Pair], before: Sequence[float], after: Sequence[float]) -> PairReport:
    """Return the report from how much higher each chosen answer was graded (equal is wrong)."""
    then, now = [margin > 0 for margin in before], [margin > 0 for margin in after]
    longer = [len(pair.chosen) > len(pair.rejected) for pair in pairs]
    return PairReport(
        pairs=len(pairs),
        before=wilson(sum(then), len(pairs)),
        after=wilson(sum(now), len(pairs)),
        longer=wilson(sum(longer), len(pairs)),
        p=mcnemar(now, then),
    )


def _pair(path: Path, number: int, line: str) -> Pair:
    try:
        pair = Pair(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise _bad_file(path, f"has no pair in line {number} ({error})") from error
    texts = (pair.instruction, pair.chosen, pair.rejected, pair.reference)
    if not all(isinstance(text, str) for text in texts) or not all(texts[:3]):
        raise _bad_file(path, f"has something other than text, or nothing, in line {number}")
    if max(map(len, texts)) > MAX_RESPONSE_CHARACTERS:
        raise _bad_file(
            path, f"has more than {MAX_RESPONSE_CHARACTERS} characters in line {number}"
        )
    if pair.chosen == pair.rejected:
        raise _bad_file(path, f"prefers an answer to itself in line {number}")
    return pair


def _bad_file(path: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {' '.join(reason.split())}.",
        'Write lines such as {"instruction": "...", "chosen": "...", "rejected": "..."}.',
    )
