"""Text -> `Written`: the blocks, then their content by the grammar of `robo_refer.parsing`."""

from __future__ import annotations

import re

from robo_refer.errors import RoboReferError
from robo_refer.parsing import MAX_ANSWER_CHARACTERS, parse
from robo_refer.types import Step
from robo_refer_train.rewards.base import Point, Written

_TAG = re.compile(r"</?(?:think|answer)>")
_INSIDE = r"((?:(?!</?(?:think|answer)>).)*)"
_BLOCKS = re.compile(
    rf"\s*(?:<think>{_INSIDE}</think>\s*)?<answer>{_INSIDE}</answer>\s*", re.DOTALL
)


def read_written(text: str) -> Written:
    """Take an answer apart; whatever cannot be read comes out as None, never as an error.

    The think block may hold anything: each of its lines is read by itself, so that one bad line
    costs what the process rewards say, and not the final answer.
    """
    thinking, final = _blocks(text)
    lines = [line for line in (thinking or "").splitlines() if line.strip()]
    steps = tuple(step for line in lines if (step := _step(line)) is not None)
    return Written(text, thinking, final, _points(final), steps, len(lines))


def _blocks(text: str) -> tuple[str | None, str | None]:
    if len(text) > MAX_ANSWER_CHARACTERS:
        return None, None
    if not _TAG.search(text):
        return None, text.strip()
    found = _BLOCKS.fullmatch(text)
    if found is None:
        return None, None
    thinking, final = found.groups()
    return thinking, final.strip()


def _points(final: str | None) -> tuple[Point, ...] | None:
    if final is None:
        return None
    try:
        return parse(f"<answer>{final}</answer>").points
    except RoboReferError:
        return None


def _step(line: str) -> Step | None:
    try:
        (step,) = parse(f"<think>\n{line.strip()}\n</think>\n<answer>[]</answer>").steps
    except RoboReferError:
        return None
    return step
