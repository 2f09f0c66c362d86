"""The answer grammar: one strict parser, one formatter, exact inverses of each other.

::

    answer      = points | [think] "<answer>" points "</answer>"
    think       = "<think>" newline {step newline} "</think>" newline
    step        = "[Position] [" target "]: [" point "]"
                | "[Orientation] [" target "]: (" number ", " number ", " number ")"
                | "[Size] [" target "]: " number
    points      = "[" [point {", " point}] "]"
    point       = "(" number ", " number ")"

Position and point are (x right, y down) in [0, 1]; orientation is a direction in the camera's
optical frame (REP-103), its components in [-1, 1]; size is a length in metres. Numbers are printed
with three decimals and read with one to four. `<answer>[]</answer>` says that the referent is not
there; points alone are the answer without reasoning. The steps are those of RoboRefer
(arXiv:2506.04308, section 3.4), whose examples show several layouts; this is the one used here.
"""

from __future__ import annotations

import re
from typing import NoReturn

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, Step, StepKind

MAX_ANSWER_CHARACTERS = 100_000
MAX_TARGET_CHARACTERS = 200
_MAX_SIZE_M = 9999.0

_KINDS: dict[str, StepKind] = {
    "Position": "position",
    "Orientation": "orientation",
    "Size": "size",
}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_NUMBER = re.compile(r"-?[0-9]{1,4}\.[0-9]{1,4}(?![0-9])")
_KIND = re.compile("|".join(_KINDS))
_TARGET = re.compile(rf"[^\[\]<>\n]{{1,{MAX_TARGET_CHARACTERS}}}")


def parse(text: str) -> Answer:
    """Read an answer written in the grammar; whitespace around it is of no matter.

    Raises:
        RoboReferError: UNPARSABLE_ANSWER with the position and reason of the first deviation.
    """
    if len(text) > MAX_ANSWER_CHARACTERS:
        _fail(f"it is longer than {MAX_ANSWER_CHARACTERS} characters")
    reader = _Reader(text.strip())
    answer = _answer(reader)
    if not reader.at_end():
        reader.fail("the end of the answer")
    return answer


def format_answer(answer: Answer) -> str:
    """Write an answer in the grammar, ready to be trained on or shown.

    Raises:
        RoboReferError: UNPARSABLE_ANSWER for what the grammar cannot say: a target with brackets
            or line breaks, a coordinate outside [0, 1], a size below 0.
    """
    points = "[" + ", ".join(_format_point(point) for point in answer.points) + "]"
    if answer.points and not answer.steps:
        return points
    final = f"<answer>{points}</answer>"
    if not answer.steps:
        return final
    lines = [_format_step(step) for step in answer.steps]
    return "\n".join(["<think>", *lines, "</think>", final])


class _Reader:
    """A text with a position in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def accept(self, literal: str) -> bool:
        """Step over a literal if it stands here."""
        found = self._text.startswith(literal, self._position)
        if found:
            self._position += len(literal)
        return found

    def expect(self, literal: str) -> None:
        if not self.accept(literal):
            self.fail(repr(literal))

    def match(self, pattern: re.Pattern[str], what: str) -> str:
        found = pattern.match(self._text, self._position)
        if found is None:
            self.fail(what)
        self._position = found.end()
        return found.group()

    def number(self, low: float, high: float) -> float:
        start = self._position
        value = float(self.match(_NUMBER, "a number with one to four decimals"))
        if not low <= value <= high:
            self._position = start
            self.fail(f"a number in [{low:g}, {high:g}]")
        return value

    def target(self) -> str:
        start = self._position
        what = f"a target of 1 to {MAX_TARGET_CHARACTERS} printable characters without brackets"
        target = self.match(_TARGET, what)
        if not _is_target(target):
            self._position = start
            self.fail(what)
        return target

    def at_end(self) -> bool:
        return self._position == len(self._text)

    def fail(self, expected: str) -> NoReturn:
        found = self._text[self._position : self._position + 20]
        _fail(f"at character {self._position} it has {found!r} instead of {expected}")


def _answer(reader: _Reader) -> Answer:
    if reader.accept("<think>\n"):
        steps = _steps(reader)
        reader.expect("<answer>")
    elif reader.accept("<answer>"):
        steps = ()
    else:
        points = _points(reader)
        if not points:
            _fail("points alone cannot be none; write <answer>[]</answer>")
        return Answer(points)
    points = _points(reader)
    reader.expect("</answer>")
    return Answer(points, steps)


def _steps(reader: _Reader) -> tuple[Step, ...]:
    steps = []
    while not reader.accept("</think>\n"):
        steps.append(_step(reader))
        reader.expect("\n")
    return tuple(steps)


def _step(reader: _Reader) -> Step:
    reader.expect("[")
    kind = _KINDS[reader.match(_KIND, "Position, Orientation or Size")]
    reader.expect("] [")
    target = reader.target()
    reader.expect("]: ")
    value: tuple[float, ...]
    if kind == "position":
        reader.expect("[")
        value = _point(reader)
        reader.expect("]")
    elif kind == "orientation":
        value = _direction(reader)
    else:
        value = (reader.number(0, _MAX_SIZE_M),)
    return Step(kind, target, value)


def _points(reader: _Reader) -> tuple[tuple[float, float], ...]:
    reader.expect("[")
    if reader.accept("]"):
        return ()
    points = [_point(reader)]
    while reader.accept(", "):
        points.append(_point(reader))
    reader.expect("]")
    return tuple(points)


def _point(reader: _Reader) -> tuple[float, float]:
    reader.expect("(")
    x = reader.number(0, 1)
    reader.expect(", ")
    y = reader.number(0, 1)
    reader.expect(")")
    return x, y


def _direction(reader: _Reader) -> tuple[float, ...]:
    reader.expect("(")
    x = reader.number(-1, 1)
    reader.expect(", ")
    y = reader.number(-1, 1)
    reader.expect(", ")
    z = reader.number(-1, 1)
    reader.expect(")")
    return x, y, z


def _is_target(target: str) -> bool:
    return (
        target == target.strip() and target.isprintable() and _TARGET.fullmatch(target) is not None
    )


def _format_point(point: tuple[float, ...]) -> str:
    return f"({', '.join(_decimals(value, 0, 1) for value in _numbers(point, 2))})"


def _format_step(step: Step) -> str:
    if not _is_target(step.target):
        _fail(f"the target {step.target!r} is empty, too long, or has brackets or line breaks")
    if step.kind == "position":
        value = f"[{_format_point(step.value)}]"
    elif step.kind == "orientation":
        value = f"({', '.join(_decimals(part, -1, 1) for part in _numbers(step.value, 3))})"
    else:
        value = _decimals(_numbers(step.value, 1)[0], 0, _MAX_SIZE_M)
    return f"[{_NAMES[step.kind]}] [{step.target}]: {value}"


def _numbers(values: tuple[float, ...], count: int) -> tuple[float, ...]:
    if len(values) != count:
        _fail(f"the value {values} has not {count} numbers")
    return values


def _decimals(value: float, low: float, high: float) -> str:
    if not low <= value <= high:  # also refuses NaN
        _fail(f"the value {value} lies outside [{low:g}, {high:g}]")
    return f"{round(float(value), 3) + 0.0:.3f}"  # + 0.0: there is no "-0.000"


def _fail(reason: str) -> NoReturn:
    raise RoboReferError(
        ErrorCode.UNPARSABLE_ANSWER,
        f"The answer does not follow the grammar: {reason}.",
        "For another model's format use its reader in robo_refer.parsing.READERS.",
    )
