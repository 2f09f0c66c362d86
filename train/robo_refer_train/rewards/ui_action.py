"""UI-Venus's reward of one action on a user interface: its type, its place, its text."""

from __future__ import annotations

import ast
import math
from collections import Counter
from dataclasses import dataclass

from robo_refer_train.rewards.base import Point, Reward, Score, Truth, Written, cannot_serve

_MAX_CHARACTERS = 2000
_MOVES = ("Scroll", "Drag")


@dataclass(frozen=True)
class Action:
    """An action as it is written: `Click(box=(0.31, 0.42))`, `Type(content='hello')`.

    Attributes:
        kind: its name.
        points: its places by argument: "box", or "start" and "end"; (x, y) in [0, 1].
        texts: its texts by argument: "content", "app" ...
    """

    kind: str
    points: dict[str, Point]
    texts: dict[str, str]


@dataclass(frozen=True)
class UiAction(Reward):
    """The mean over an action's parts: its type, and its place and text where it has them.

    Another type earns nothing. A place earns 1 within `near`, half of it within `far`; a scroll
    1 for start, end and direction, 2/3 for start and direction, 1/3 for one of them; a text 1 for
    a token F1 of at least `from_f1`. Distances are in [0, 1] of the screen.
    Source: UI-Venus (arXiv:2508.10833), which gives neither distances nor weights: these are ours.
    """

    near: float = 0.05
    far: float = 0.14
    from_f1: float = 0.5
    name = "ui_action"

    def check(self, truth: Truth) -> None:
        """Refuse items without an action that can be read."""
        if read_action(truth.action) is None:
            raise cannot_serve(self.name, "no action that can be read")

    def __call__(self, written: Written, truth: Truth) -> Score:
        said, right = read_action(written.final or ""), read_action(truth.action)
        if right is None:
            raise cannot_serve(self.name, "no action that can be read")
        if said is None:
            return Score(0.0, "no single action can be read")
        if said.kind != right.kind:
            return Score(0.0, f"it is {said.kind!r} where {right.kind!r} is right")
        parts = {"type": 1.0}
        if right.points:
            parts["place"] = self._place(said, right)
        if right.texts:
            parts["text"] = float(_f1(said.texts, right.texts) >= self.from_f1)
        why = ", ".join(f"{name} {value:.2f}" for name, value in parts.items())
        return Score(sum(parts.values()) / len(parts), why)

    def _place(self, said: Action, right: Action) -> float:
        if said.points.keys() != right.points.keys():
            return 0.0
        if right.kind in _MOVES:
            return self._move(said.points, right.points)
        apart = max(math.dist(said.points[name], right.points[name]) for name in right.points)
        return 1.0 if apart < self.near else 0.5 if apart < self.far else 0.0

    def _move(self, said: dict[str, Point], right: dict[str, Point]) -> float:
        start = math.dist(said["start"], right["start"]) < self.far
        end = math.dist(said["end"], right["end"]) < self.far
        direction = _direction(said) is not None and _direction(said) == _direction(right)
        if start and end and direction:
            return 1.0
        return (start + direction) / 3


def read_action(text: str) -> Action | None:
    """Return the one action that is written, None where it is anything else.

    The text is read as the syntax of a call whose arguments are all named constants; nothing in
    it is ever run.
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        call = ast.parse(text.strip(), mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            return None
        values = {item.arg or "": ast.literal_eval(item.value) for item in call.keywords}
        return _action(call.func.id, values)
    except (SyntaxError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        return None


def _action(kind: str, values: dict[str, object]) -> Action | None:
    points: dict[str, Point] = {}
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, str):
            texts[name] = value
        elif isinstance(value, tuple) and len(value) == 2:
            points[name] = float(value[0]), float(value[1])
        else:
            return None
    inside = all(0 <= part <= 1 for point in points.values() for part in point)
    named = kind not in _MOVES or points.keys() == {"start", "end"}
    return Action(kind, points, texts) if inside and named else None


def _direction(points: dict[str, Point]) -> str | None:
    x, y = (end - start for start, end in zip(points["start"], points["end"], strict=True))
    if not x and not y:
        return None
    if abs(x) >= abs(y):
        return "right" if x > 0 else "left"
    return "down" if y > 0 else "up"


def _f1(said: dict[str, str], right: dict[str, str]) -> float:
    """Return the F1 of the words, argument by argument the same; 0 words on both sides are 1."""
    first = Counter((name, word) for name, text in said.items() for word in text.lower().split())
    second = Counter((name, word) for name, text in right.items() for word in text.lower().split())
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 1.0
