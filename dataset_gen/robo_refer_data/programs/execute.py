"""Executes a program on a scene: exactly one object, clearly none, or ambiguous."""

from __future__ import annotations

from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    ANY,
    Compare,
    Filter,
    Free,
    Known,
    Ordinal,
    Program,
    Relate,
    Standing,
    Superlative,
)
from robo_refer_data.relations.extremes import extreme
from robo_refer_data.relations.free_space import FreeRegion, Spot
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY


def execute(program: Program, scene: Scene) -> int:
    """Return the index of the one object meant, EMPTY if clearly none is, else AMBIGUOUS."""
    if isinstance(program, Filter):
        return _only(scene.matching(program))
    if isinstance(program, Known):
        return program.index
    if isinstance(program, Ordinal):
        return _ordinal(program, scene)
    if isinstance(program, Superlative):
        return extreme(scene.facts, program.attribute, scene.matching(program.of))
    if isinstance(program, Standing):
        anchor = 0 if program.anchor is None else execute(program.anchor, scene)
        return scene.standing(program.relation, program.of)[anchor] if anchor >= 0 else anchor
    if isinstance(program, Relate):
        anchor = execute(program.anchor, scene)
        answer = scene.relation(program.relation)[anchor] if anchor >= 0 else anchor
        return _headed(answer, program.head, scene)
    first, second = execute(program.first, scene), execute(program.second, scene)
    if min(first, second) < 0:
        return min(first, second)
    if isinstance(program, Compare):
        return extreme(scene.facts, program.attribute, sorted({first, second}))
    answer = scene.between.get((min(first, second), max(first, second)), AMBIGUOUS)
    return _headed(answer, program.head, scene)


def spots(program: Free, scene: Scene) -> tuple[Spot, ...] | None:
    """Return the conditions with their anchors found, None where one of them is not one object."""
    found = [
        (place.kind, tuple(execute(anchor, scene) for anchor in place.anchors), place.far_m)
        for place in program.places
    ]
    if any(index < 0 for _, anchors, _ in found for index in anchors):
        return None
    return tuple(found)


def execute_region(program: Free, scene: Scene) -> FreeRegion | None:
    """Return the free region meant, None where there is none that is large enough."""
    found = spots(program, scene)
    return None if found is None else scene.free_space.region(*found)


def _only(found: list[int]) -> int:
    if not found:
        return EMPTY
    return found[0] if len(found) == 1 else AMBIGUOUS


def _headed(answer: int, head: Filter, scene: Scene) -> int:
    """Let an answer through only if it fits the words that describe it."""
    fits = answer < 0 or head == ANY or answer in scene.matching(head)
    return answer if fits else AMBIGUOUS


def _ordinal(program: Ordinal, scene: Scene) -> int:
    order, safe = scene.ordered(program.axis, program.of)
    if program.rank > len(order):
        return EMPTY
    return order[program.rank - 1] if program.rank in safe else AMBIGUOUS
