"""Which free spots a scene allows to ask for, per anchor; whether they are free is seen later."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations

from robo_refer.types import FloatArray
from robo_refer_data.language.fronts import FRONTS
from robo_refer_data.programs.candidates import Candidates, grouped
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import AnyProgram, Free, Known, Place
from robo_refer_data.relations.free_space import REACH_M, SIDES

DISTANCES_M = (0.05, 0.1, 0.15, 0.2, 0.3)
"""At which a spot apart from an object is asked for."""

CORNERS = tuple(
    pair
    for across in ("left", "right")
    for along in ("front", "behind")
    for pair in ((across, along), (along, across))
)
"""Pairs of sides that meet at a corner."""

FLAT = ("block", "book", "box", "shelf")
"""Names of things whose whole top is flat."""


def beside(*kinds: str, described: bool = True) -> Callable[[Scene], Candidates]:
    """Free spots by one condition with one anchor."""

    def build(scene: Scene) -> Candidates:
        return grouped(
            [
                (anchor, Free((_place(kind, anchor),)))
                for anchor in _standing_free(scene, described)
                for kind in kinds
            ]
        )

    return build


@cache
def _place(kind: str, *indices: int, far_m: float = 0.0) -> Place:
    return Place(kind, tuple(Known(index) for index in indices), far_m)


def _along(kind: str, index: int, scene: Scene) -> Place:
    return Place(kind, (Known(index),), part=FRONTS[scene.facts.names[index]])


def _standing_free(scene: Scene, described: bool = True) -> list[int]:
    """Objects on the main table that places may refer to."""
    return [
        index
        for index in range(scene.n)
        if scene.free_space.stands(index) and (scene.references[index] or not described)
    ]


def free_between(scene: Scene) -> Candidates:
    standing = _standing_free(scene)
    return grouped([(a, Free((_place("between", a, b),))) for a, b in combinations(standing, 2)])


def on_top(scene: Scene) -> Candidates:
    return grouped(
        [
            (index, Free((_place("on", index),)))
            for index in range(scene.n)
            if scene.references[index] and scene.facts.names[index] in FLAT
        ]
    )


def _pointing(scene: Scene, described: bool) -> list[int]:
    """Of these, what has a part that visibly points along the table."""
    return [
        index
        for index in _standing_free(scene, described)
        if scene.facts.points_level[index] and scene.facts.names[index] in FRONTS
    ]


def facing(described: bool) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        return grouped(
            [(i, Free((_along("facing", i, scene),))) for i in _pointing(scene, described)]
        )

    return build


def apart(described: bool) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        return grouped(
            [
                (index, Free((_place(f"apart_{side}", index, far_m=far_m),)))
                for index in _standing_free(scene, described)
                for side in SIDES
                for far_m in DISTANCES_M
            ]
        )

    return build


def both(described: bool) -> Callable[[Scene], Candidates]:
    """A side of one object and another side of another."""

    def build(scene: Scene) -> Candidates:
        return grouped(
            [
                (first, Free((_place(one, first), _place(other, second))))
                for first, second in combinations(_standing_free(scene, described), 2)
                for one, other in CORNERS
            ]
        )

    return build


def aligned(described: bool) -> Callable[[Scene], Candidates]:
    """In line with what an object points along: between two others, or on a side of one."""

    def build(scene: Scene) -> Candidates:
        standing = _standing_free(scene, described)
        pairs: list[tuple[int, AnyProgram]] = []
        for index in _pointing(scene, described):
            line, along = _along("aligned", index, scene), _Line(scene, index)
            others = [other for other in standing if other != index]
            places = [
                _place("between", a, b) for a, b in combinations(others, 2) if along.crosses(a, b)
            ]
            places += [_place(side, a) for a in others for side in SIDES if along.passes(side, a)]
            pairs += [(index, Free((place, line))) for place in places]
        return grouped(pairs)

    return build


class _Line:
    """Where an object's front points: rules out early what would have no region."""

    def __init__(self, scene: Scene, index: int) -> None:
        facts = scene.facts
        self._places = facts.centre_world[:, :2] @ facts.ground_axes.T
        self._origin = self._places[index]
        self._direction = facts.ground_axes @ facts.fronts_world[index, :2]

    def crosses(self, first: int, second: int) -> bool:
        """Whether the line crosses the middle of what joins two objects."""
        offset = self._places[first] - self._origin
        edge = self._places[second] - self._places[first]
        turn = _cross(self._direction, edge)
        if abs(turn) < 1e-6:
            return False
        ahead, share = _cross(offset, edge) / turn, _cross(offset, self._direction) / turn
        return ahead > 0 and 0.2 < share < 0.8

    def passes(self, side: str, anchor: int) -> bool:
        """Whether the line passes on a side of an object, not far from it."""
        for ahead_m in (0.1, 0.2, 0.3, 0.4):
            right, forward = self._origin + ahead_m * self._direction - self._places[anchor]
            along, across = (right, forward) if side in ("left", "right") else (forward, right)
            along = along if side in ("right", "behind") else -along
            if abs(across) <= along <= REACH_M:
                return True
        return False


def _cross(first: FloatArray, second: FloatArray) -> float:
    return float(first[0] * second[1] - first[1] * second[0])


def placements(scene: Scene) -> Candidates:
    """All of these, with anchors that are yet to be described."""
    pairs = [
        (target, program)
        for build in (facing(False), apart(False), both(False), aligned(False))
        for target, programs in build(scene).items()
        # A few of each, so that none crowds out the others.
        for program in programs[:: max(1, len(programs) // 4)]
    ]
    return grouped(pairs)
