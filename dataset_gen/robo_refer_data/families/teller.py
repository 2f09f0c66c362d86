"""`Teller`: what all spoken families need: relations' truth, descriptions, and the question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from robo_refer.data.sample import Question
from robo_refer.types import Answer, Step
from robo_refer_data.language.grammar import worded
from robo_refer_data.language.spoken import SPOKEN
from robo_refer_data.programs.scene import Scene
from robo_refer_data.relations import listed  # noqa: F401 - registers the relations
from robo_refer_data.relations.registry import RELATIONS, Truth

PAIRS = tuple(name for name, relation in RELATIONS.items() if relation.form == "pair")
"""Relations of a subject to a reference."""


class Teller:
    """Tells what is true in one scene.

    Args:
        scene: the scene.
        rng: the source of randomness.
        describe: returns a noun phrase that means only this object, or None; another one each time.
        short_name: returns the shortest such phrase, without article, for reasoning steps.
    """

    def __init__(
        self,
        scene: Scene,
        rng: np.random.Generator,
        describe: Callable[[int], str | None],
        short_name: Callable[[int], str],
    ) -> None:
        self.scene, self.rng = scene, rng
        self.describe, self._short_name = describe, short_name

    def truth(self, name: str) -> Truth:
        """Return a relation's truth in this scene, computed once."""
        return self.scene.truth(name)

    def says(self, name: str) -> str:
        """Return one way to say a relation."""
        return self.one(RELATIONS[name].says)

    def worded(self, symbol: str, **slots: str) -> str:
        """Return a question's text, from a symbol of SPOKEN."""
        return worded(SPOKEN, self.rng, symbol, **slots)

    def one(self, options: Sequence[Any]) -> Any:
        """Return one of some options."""
        return options[int(self.rng.random() * len(options))]

    def describable(self) -> list[int]:
        """Return the objects that can be described by their own attributes."""
        return [index for index in range(self.scene.n) if self.scene.references[index]]

    def question(
        self, family: str, kind: str, text: str, reply: str, about: Sequence[int], **tags: Any
    ) -> Question:
        """Return a question whose reasoning locates the objects that it is about."""
        objects = self.scene.observation.objects
        steps = [
            Step("position", self._short_name(index), objects[index].point_norm) for index in about
        ]
        ids = tuple(objects[index].id for index in about)
        return Question(
            kind=f"{family}_{kind}",
            family=family,
            hops=1,
            text=text,
            answer=Answer((), tuple(steps)),
            target_ids=ids,
            mask=None,
            step_ids=ids,
            tags={"half": self.scene.observation.half, "chain": [kind], **tags},
            reply=reply,
        )
