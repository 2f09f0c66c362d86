"""Draws questions' programs from a scene: the target first, then how to ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from robo_refer_data.programs.execute import execute
from robo_refer_data.programs.kinds import DESCRIBING, KINDS, Candidates, Kind
from robo_refer_data.programs.necessity import needs_every_step, region_needs_every_step
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    AnyProgram,
    Between,
    Compare,
    Filter,
    FreeBetween,
    FreeSide,
    Known,
    Ordinal,
    Program,
    Relate,
    Superlative,
)

T = TypeVar("T")
_TRIES = 6
_HEADED_SHARE = 0.4
"""How often an answer is called by its name or colour, where that does not give it away."""

_PASSED_OVER_SHARE = 0.1
"""Set on 3,000 scenes, where the largest of two was the nearer in 0.528 of the questions; on 4,000
others it then was in 0.497."""


class Sampler:
    """Draws programs from one scene; never the same target of the same kind twice."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self._scene = scene
        self._rng = rng
        self._programs: dict[str, Candidates] = {}
        self._candidates: dict[str, Candidates] = {}
        self._left: dict[str, list[int]] = {}
        self._describing: list[list[Program]] | None = None

    def candidates(self, key: str) -> Candidates:
        """Return the admissible programs of a kind of KINDS, per target."""
        if key not in self._candidates:
            found = self._built(key)
            self._candidates[key] = found if len(found) >= KINDS[key].least else {}
        return self._candidates[key]

    def _built(self, key: str) -> Candidates:
        if key not in self._programs:
            self._programs[key] = KINDS[key].build(self._scene)
        return self._programs[key]

    def draw(self, key: str) -> AnyProgram | None:
        """Return a program of a kind, or None when the scene has no further target for it."""
        left = self._left.setdefault(key, list(self.candidates(key)))
        while left:
            target = left.pop(int(self._rng.integers(len(left))))
            program = self._towards(KINDS[key], self.candidates(key)[target])
            if program is not None and not self._passed_over(program, target):
                return program
        return None

    def _passed_over(self, program: AnyProgram, target: int) -> bool:
        """Whether to drop a question about distance because the apparent size gives it away.

        What is near hides parts of what is far, so the nearest also looks the largest a little
        too often, even where size and depth were drawn independently.
        """
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

    def _towards(self, kind: Kind, programs: list[AnyProgram]) -> AnyProgram | None:
        for _ in range(_TRIES):
            program = self._filled(self._pick(programs), kind.depth)
            if program is not None and self._holds(program, kind.depth):
                return program
        return None

    def _holds(self, program: AnyProgram, depth: int) -> bool:
        scene = self._scene
        if isinstance(program, FreeSide):
            if depth:
                return region_needs_every_step(program, scene)
            return scene.free_space.side(program.side, execute(program.anchor, scene)) is not None
        if isinstance(program, FreeBetween):
            first, second = execute(program.first, scene), execute(program.second, scene)
            return scene.free_space.between(first, second) is not None
        return depth == 0 or needs_every_step(program, scene)

    def _filled(self, program: AnyProgram, depth: int) -> AnyProgram | None:
        """Return the program with its open anchors described, or None where that fails."""
        if isinstance(program, (Between, Compare, FreeBetween)):
            first, second = self.described(program.first), self.described(program.second)
            if first is None or second is None:
                return None
            if self._rng.random() < 0.5:
                first, second = second, first
            filled: AnyProgram = replace(program, first=first, second=second)
        elif isinstance(program, (Relate, FreeSide)):
            anchor = self.described(program.anchor, depth)
            if anchor is None:
                return None
            filled = replace(program, anchor=anchor)
        else:
            return program
        return self._headed(filled)

    def described(self, program: Program, depth: int = 0) -> Program | None:
        """Return a description of a `Known` object, through `depth` relations, if there is one."""
        if not isinstance(program, Known):
            return program
        if depth == 0:
            filters = self._scene.references[program.index]
            return self._plainly(filters) if filters else None
        open_ = self._all_describing()[program.index]
        if depth == 2:
            open_ = [option for option in open_ if isinstance(option, Relate)]
        if not open_:
            return None
        filled = self._filled(self._pick(open_), depth - 1)
        return None if isinstance(filled, (FreeSide, FreeBetween)) else filled

    def _plainly(self, filters: list[Filter]) -> Filter:
        """Pick a reference, one by name or by colour and name more often."""
        weighted = [f for f in filters for _ in range(3 if f.name and not f.material else 1)]
        return self._pick(weighted)

    def _all_describing(self) -> list[list[Program]]:
        """Return, for every object, the open programs that lead to it."""
        if self._describing is None:
            self._describing = [[] for _ in range(self._scene.n)]
            for key in DESCRIBING:
                for target, programs in self._built(key).items():
                    # One of each kind, so that no kind crowds out the others.
                    option = self._pick(programs)
                    if isinstance(option, (Relate, Ordinal, Superlative, Between)):
                        self._describing[target].append(option)
        return self._describing

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
        return options[int(self._rng.integers(len(options)))]
