"""Controls as clients: answers that do not read the question, recorded like a model's."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics.controls import CONTROLS
from robo_refer_bench.clients.base import Asked, LoadFrame, Reply
from robo_refer_bench.clients.engine import rounded
from robo_refer_bench.suites.base import ChoiceTruth, Item, Point

Points = tuple[Point, ...]

BLIND: dict[str, Callable[[np.random.Generator], Points]] = {
    "image_centre": lambda rng: ((0.5, 0.5),),
    "lower_half": lambda rng: ((float(rng.random()), float(rng.uniform(0.5, 1.0))),),
    "anywhere": lambda rng: ((float(rng.random()), float(rng.random())),),
    "always_refuse": lambda rng: (),
}
"""Controls for suites that do not know which objects are in their pictures."""

BY_LETTER: dict[str, Callable[[np.random.Generator, int], int]] = {
    "first_option": lambda rng, count: 0,
    "random_option": lambda rng, count: int(rng.integers(count)),
}
"""Controls for questions that are answered by an option."""

LABELS = {name: control.label for name, control in CONTROLS.items()} | {
    "anywhere": "any",
    "first_option": "first",
    "random_option": "rand",
}
"""A heading of a few letters for every control; "+" marks those that know more than the picture."""

PICTURE_ONLY = [name for name, control in CONTROLS.items() if control.picture_only] + [
    "anywhere",
    *BY_LETTER,
]
"""The controls that look at the picture alone."""


def control_replies(item: Item) -> Mapping[str, Reply]:
    """Return what every control answers to an item; always the same.

    Suites that know their objects have controls of their own (`Item.load_controls`); for all
    others these are the `BLIND` ones, or `BY_LETTER` where an option is asked for.
    """
    if isinstance(item.truth, ChoiceTruth):
        count = len(item.truth.options)
        return {
            name: Reply(raw_answer=chr(ord("A") + rule(_generator(item, name), count)))
            for name, rule in BY_LETTER.items()
        }
    known = item.load_controls() or {
        name: rule(_generator(item, name)) for name, rule in BLIND.items()
    }
    return {name: Reply(points=rounded(points)) for name, points in known.items()}


def _generator(item: Item, name: str) -> np.random.Generator:
    """A generator of its own for every control, so that a new one changes no other's draws."""
    return np.random.default_rng([zlib.crc32(item.id.encode()), zlib.crc32(name.encode())])


class ControlClient:
    """One control, by its name.

    Args:
        name: such as "random_object", "lowest" or "image_centre".
    """

    family, workers, by_picture, sees_depth = "", 1, True, False

    def __init__(self, name: str) -> None:
        self.model, self.fingerprint = f"control:{name}", name
        self.settings: Mapping[str, Any] = {}
        self._name = name

    def ask(self, items: Sequence[Asked], load_frame: LoadFrame) -> list[Reply]:
        """Return what the control answers; see `Client.ask`.

        Raises:
            RoboReferError: BAD_REQUEST where the suite has no such control.
        """
        return [self._reply(asked) for asked in items]

    def close(self) -> None:
        """Nothing is ever in flight."""

    def _reply(self, asked: Asked) -> Reply:
        start = perf_counter()
        replies = control_replies(asked.item)
        if self._name not in replies:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{asked.suite} has no control '{self._name}'.",
                f"Use one of: {', '.join(replies)}.",
            )
        return replace(replies[self._name], seconds=perf_counter() - start)
