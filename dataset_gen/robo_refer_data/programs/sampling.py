"""Draws questions' programs from a scene: the target first, then how to ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from robo_refer_data.programs.candidates import Candidates
from robo_refer_data.programs.execute import execute, execute_region
from robo_refer_data.programs.kinds import KINDS, Kind
from robo_refer_data.programs.necessity import needs_every_step, region_needs_every_step
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    AnyProgram,
    Between,
    Compare,
    Filter,
    Free,
    Known,
    Ordinal,
    Program,
    Relate,
    Standing,
    Superlative,
    anchors,
    with_anchors,
)
from robo_refer_data.relations.free_space import SIDES
from robo_refer_data.relations.registry import RELATIONS, YES

T = TypeVar("T")
_TRIES = 6
_HEADED_SHARE = 0.4
"""How often an answer is called by its name or colour, where that does not give it away."""

_UTMOST_PASSED_OVER_SHARE = 0.65
"""The only box that is left of something is often the leftmost thing of all. Set on 160 scenes,
where such rules then were right in 0.2 of the questions instead of 0.4."""

PLAIN_PLACES = (*SIDES, "between", "on", "facing")
"""Conditions in which nothing can be left out."""

_PASSED_OVER_SHARE = 0.1
"""Set on 3,000 scenes, where the largest of two was the nearer in 0.528 of the questions; on 4,000
others it then was in 0.497."""


class Sampler:
    """Draws programs from one scene; never the same target of the same kind twice."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self._scene = scene
        self._rng = rng
        self._programs: dict[Callable[[Scene], Candidates], Candidates] = {}
        self._candidates: dict[str, Candidates] = {}
        self._left: dict[str, list[int]] = {}
        self._describing: dict[tuple[str, ...], list[list[Program]]] = {}

    def candidates(self, key: str) -> Candidates:
        """Return the admissible programs of a kind of KINDS, per target."""
        if key not in self._candidates:
            found = self._built(key)
            self._candidates[key] = found if len(found) >= KINDS[key].least else {}
        return self._candidates[key]

    def _built(self, key: str) -> Candidates:
        build = KINDS[key].build  # which kinds of different depth share
        if build not in self._programs:
            self._programs[build] = build(self._scene)
        return self._programs[build]

    def draw(self, key: str) -> AnyProgram | None:
        """Return a program of a kind, or None when the scene has no further target for it."""
        left = self._left.setdefault(key, list(self.candidates(key)))
        while left:
            target = left.pop(int(self._rng.random() * len(left)))
            program = self._towards(target, key)
            if program is not None and not self._passed_over(program, target):
                return program
        return None

    def sample(self, key: str) -> AnyProgram | None:
        """Return some program of a kind, or None; later draws may return it again."""
        targets = list(self.candidates(key))
        return self._towards(self._pick(targets), key) if targets else None

    def _passed_over(self, program: AnyProgram, target: int) -> bool:
        """Whether to drop a question because a rule of thumb gives it away.

        What is near hides parts of what is far, so the nearest also looks the largest a little
        too often, even where size and depth were drawn independently. And what alone stands in a
        relation too often does so to everything.
        """
        if isinstance(program, Standing):
            return self._is_utmost(program.relation, target) and bool(
                self._rng.random() < _UTMOST_PASSED_OVER_SHARE
            )
        if self._scene.observation.half != "decorrelated":
            return False
        if isinstance(program, Superlative):
            among = self._scene.matching(program.of)
        elif isinstance(program, Compare):
            among = [execute(anchor, self._scene) for anchor in (program.first, program.second)]
        else:
            return False
        area = self._scene.facts.area
        extreme = {"nearest_camera": max, "farthest_camera": min}.get(program.attribute)
        if extreme is None or extreme(among, key=lambda index: float(area[index])) != target:
            return False
        return bool(self._rng.random() < _PASSED_OVER_SHARE)

    def _is_utmost(self, relation: str, target: int) -> bool:
        """Whether no object stands in an ordering relation (left, taller ...) to the target."""
        if RELATIONS[relation].inverse in ("", relation):
            return False
        return not (self._scene.truth(relation)[:, target] == YES).any()

    def _towards(self, target: int, key: str) -> AnyProgram | None:
        kind, programs = KINDS[key], self.candidates(key)[target]
        for _ in range(_TRIES * max(1, kind.depth)):
            program = self._filled(self._pick(programs), kind, kind.depth, (target,))
            if program is not None and self._holds(program, kind.depth):
                return program
        return None

    def _holds(self, program: AnyProgram, depth: int) -> bool:
        scene = self._scene
        if isinstance(program, Free):
            if depth or program.places[0].kind not in PLAIN_PLACES or len(program.places) > 1:
                return region_needs_every_step(program, scene)
            return execute_region(program, scene) is not None
        return depth == 0 or needs_every_step(program, scene)

    def _filled(
        self, program: AnyProgram, kind: Kind, depth: int, path: tuple[int, ...]
    ) -> AnyProgram | None:
        """Return the program with its open anchors described, or None where that fails.

        Args:
            program: of the kind, or of one that describes its anchors.
            kind: of the question.
            depth: how many relations lead to the anchor.
            path: objects that the question has been at; it shall not come back to them.
        """
        open_ones = anchors(program)
        if not open_ones:
            return program
        # One way leads through other objects; where several meet, the others are named.
        through = int(self._rng.random() * len(open_ones)) if depth else -1
        found: list[Program] = []
        for number, anchor in enumerate(open_ones):
            way = self._reached(anchor, kind, depth, path) if number == through else None
            described = way if number == through else self.described(anchor)
            if described is None:
                return None
            found.append(described)
        swapped = isinstance(program, (Between, Compare)) and self._rng.random() < 0.5
        return self._headed(with_anchors(program, found[::-1] if swapped else found))

    def described(self, program: Program) -> Program | None:
        """Return a description of a `Known` object by its attributes, if there is one.

        What is not `Known` is returned as it is.
        """
        if not isinstance(program, Known):
            return program
        filters = self._scene.references[program.index]
        return self._plainly(filters) if filters else None

    def _reached(
        self, program: Program, kind: Kind, depth: int, path: tuple[int, ...]
    ) -> Program | None:
        """Return a description of a `Known` object through `depth` relations, if there is one."""
        assert isinstance(program, Known)
        path = (*path, program.index)
        options = [
            option
            for option in self._all_describing(kind.describing)[program.index]
            if (
                depth == 1 or (isinstance(option, (Relate, Standing)) and option.anchor is not None)
            )
            and not any(isinstance(a, Known) and a.index in path for a in anchors(option))
        ]
        if not options:
            return None
        filled = self._filled(self._pick(options), kind, depth - 1, path)
        return None if isinstance(filled, Free) else filled

    def _plainly(self, filters: list[Filter]) -> Filter:
        """Pick a reference, one by name or by colour and name more often."""
        weighted = [f for f in filters for _ in range(3 if f.name and not f.material else 1)]
        return self._pick(weighted)

    def _all_describing(self, keys: tuple[str, ...]) -> list[list[Program]]:
        """Return, for every object, the open programs of some kinds that lead to it."""
        if keys not in self._describing:
            found: list[list[Program]] = [[] for _ in range(self._scene.n)]
            for key in keys:
                for target, programs in self._built(key).items():
                    # One of each kind, so that no kind crowds out the others.
                    option = self._pick(programs)
                    if isinstance(option, (Relate, Standing, Ordinal, Superlative, Between)):
                        found[target].append(option)
            self._describing[keys] = found
        return self._describing[keys]

    def _headed(self, program: AnyProgram) -> AnyProgram:
        """Sometimes call the answer by a name or colour that other objects have too."""
        if not isinstance(program, (Relate, Between)) or self._rng.random() >= _HEADED_SHARE:
            return program
        answer, facts = execute(program, self._scene), self._scene.facts
        heads = [Filter(name=facts.names[answer])]
        if facts.colours[answer]:
            heads.append(Filter(colour=facts.colours[answer]))
        heads = [head for head in heads if len(self._scene.matching(head)) > 1]
        return replace(program, head=self._pick(heads)) if heads else program

    def _pick(self, options: Sequence[T]) -> T:
        return options[int(self._rng.random() * len(options))]
