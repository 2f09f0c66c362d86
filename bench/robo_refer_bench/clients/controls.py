"""Controls as clients: answers that do not read the question, recorded like a model's."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics.controls import CONTROLS
from robo_refer_bench.clients.base import Asked, LoadFrame, Reply
from robo_refer_bench.clients.engine import rounded
from robo_refer_bench.suites.base import Item, Point

Points = tuple[Point, ...]

BLIND: dict[str, Callable[[np.random.Generator], Points]] = {
    "image_centre": lambda rng: ((0.5, 0.5),),
    "lower_half": lambda rng: ((float(rng.random()), float(rng.uniform(0.5, 1.0))),),
    "anywhere": lambda rng: ((float(rng.random()), float(rng.random())),),
    "always_refuse": lambda rng: (),
}
"""Controls for suites that do not know which objects are in their pictures."""

LABELS = {name: control.label for name, control in CONTROLS.items()} | {"anywhere": "any"}
"""A heading of a few letters for every control; "+" marks those that know more than the picture."""

PICTURE_ONLY = [name for name, control in CONTROLS.items() if control.picture_only] + ["anywhere"]
"""The controls that look at the picture alone."""


def control_answers(item: Item) -> Mapping[str, Points]:
    """Return what every control answers to an item, () being a refusal; always the same.

    Suites that know their objects have controls of their own (`Item.load_controls`); for all
    others these are the `BLIND` ones.
    """
    return item.load_controls() or {
        # A generator of its own, so that a new control changes no other's draws.
        name: rule(np.random.default_rng([zlib.crc32(item.id.encode()), zlib.crc32(name.encode())]))
        for name, rule in BLIND.items()
    }


class ControlClient:
    """One control, by its name.

    Args:
        name: such as "random_object", "lowest" or "image_centre".
    """

    family, workers, by_picture = "", 1, True

    def __init__(self, name: str) -> None:
        self.model, self.fingerprint = f"control:{name}", name
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
        answers = control_answers(asked.item)
        if self._name not in answers:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{asked.suite} has no control '{self._name}'.",
                f"Use one of: {', '.join(answers)}.",
            )
        return Reply(points=rounded(answers[self._name]), seconds=perf_counter() - start)
