"""The questions of one RefSpatial record, from its text; what cannot be carried is counted."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from robo_refer.data import Question
from robo_refer.errors import RoboReferError
from robo_refer.parsing import parse
from robo_refer.types import Answer, Step

HOPS_UNKNOWN = -1
POINT = "point"
"""Family of a question that is answered by a point, with no mask to tell what else is right."""
WORDS = "words"
"""Family of a question that is answered in words of any form."""

_MAX_CHARACTERS = 4000  # instruction, answer and thinking of the release are hundreds
_RUNAWAY = re.compile(r"(.{1,12}?)\1{15,}", re.DOTALL)  # "/////...", "a big a big a big ..."
_MEDIA = re.compile(r"(?:<image>|<depth>)\n?")
_LIKE_POINTS = re.compile(r"[\[(]\s{0,9}\(?\s{0,9}[-\d.]")
# The paper shows steps with and without a number, a colon, and brackets around a point.
_STEP = re.compile(
    r"(?:Step\s?\d{1,2}\s?[:.]?\s{0,9})?\[(Position|Orientation|Size)\]\s{0,9}"
    r"\[([^\[\]]{1,200})\]\s{0,9}:?\s{0,9}"
    r"(?:\[?\(([-\d., ]{1,60})\)\]?|(\d{1,4}\.\d{1,4})(?:\s?m\b)?)[.;,]?\s{0,9}"
)


class LeftOutError(Exception):
    """Why a record or a question is left out: `reason` is its name in the counts."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True)
class Pair:
    """One question of a record and its answer, as text.

    Attributes:
        question_type: the simulator's, or the name of the file for data without one.
        human, gpt: the two turns.
        thinking: the simulator's reasoning, or "".
    """

    question_type: str
    human: str
    gpt: str
    thinking: str = ""


def read_questions(pairs: Sequence[Pair], counts: Counter[str]) -> list[Question]:
    """Return the questions of one image, as far as they can be trusted.

    The family is `POINT`, `WORDS` or "absent" (answered by "[]"), hops are `HOPS_UNKNOWN`, and
    there is no mask. Thinking that is not a list of steps is kept as text in the tag "thinking"
    and counted "thinking_not_steps".

    Args:
        pairs: the questions to one image.
        counts: raised by one for every question left out, by reason: "question_empty",
            "question_runaway_text", "question_bad_points" (begins as points and is none of the
            grammar), "question_conflicting" (asked again with another answer: both go) and
            "question_duplicate" (asked again with the same).
    """
    same_text: dict[str, list[Question]] = {}
    for pair in pairs:
        try:
            question = _question(pair)
        except LeftOutError as left_out:
            counts[left_out.reason] += 1
            continue
        same_text.setdefault(question.text, []).append(question)
    kept = []
    for questions in same_text.values():
        if len({(question.answer.points, question.reply) for question in questions}) > 1:
            counts["question_conflicting"] += len(questions)
            continue
        counts["question_duplicate"] += len(questions) - 1
        counts["thinking_not_steps"] += "thinking" in questions[0].tags
        kept.append(questions[0])
    return kept


def _question(pair: Pair) -> Question:
    text, said = _MEDIA.sub("", pair.human).strip(), pair.gpt.strip()
    if not text or not said:
        raise LeftOutError("question_empty")
    for part in (text, said, pair.thinking):
        if len(part) > _MAX_CHARACTERS or _RUNAWAY.search(part):
            raise LeftOutError("question_runaway_text")
    points = _points(said)
    steps = read_steps(pair.thinking)
    return Question(
        kind=re.sub(r"\W+", "_", pair.question_type).strip("_").lower() or "unnamed",
        family=WORDS if points is None else POINT if points else "absent",
        hops=HOPS_UNKNOWN,
        text=text,
        answer=Answer(points or (), steps or ()),
        target_ids=(),
        mask=None,
        tags={"thinking": pair.thinking} if steps is None else {},
        reply=said if points is None else "",
    )


def _points(said: str) -> tuple[tuple[float, float], ...] | None:
    """Return the points that an answer consists of, None where it is in words."""
    if said != "[]" and not _LIKE_POINTS.match(said):
        return None
    try:
        return parse(f"<answer>{said}</answer>").points
    except RoboReferError as error:
        raise LeftOutError("question_bad_points") from error


def read_steps(thinking: str) -> tuple[Step, ...] | None:
    """Return the steps that a thinking text lists, () for "", None where it is anything else.

    Reads our grammar's lines and the looser forms of the paper, such as "Step1: [Position] [pen
    holder]: [(0.139, 0.628)]". Values are checked as strictly as in our grammar.
    """
    text = thinking.strip().removeprefix("<think>").removesuffix("</think>").strip()
    lines, position = [], 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return None
        lines.append(_grammar_line(found))
        position = found.end()
    if not lines:
        return ()
    try:
        return parse("\n".join(["<think>", *lines, "</think>", "<answer>[]</answer>"])).steps
    except RoboReferError:
        return None


def _grammar_line(step: re.Match[str]) -> str:
    kind, target, numbers, size = step.groups()
    value = size
    if numbers is not None:
        value = f"({', '.join(number.strip() for number in numbers.split(','))})"
        value = f"[{value}]" if kind == "Position" else value
    return f"[{kind}] [{target.strip()}]: {value}"
