"""What has to be found on the way to an answer, in the order in which it is needed."""

from __future__ import annotations

from typing import Literal

from robo_refer_data.programs.execute import execute
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    ANY,
    AnyProgram,
    Compare,
    Filter,
    Known,
    Ordinal,
    Program,
    Standing,
    Superlative,
    anchors,
    operation,
)
from robo_refer_data.relations.order import ordered

Finding = tuple[Literal["position", "extents", "heights"], int]
"""What is perceived, and of which object (index): where it is, or a size (of `Facts`), metres."""

MEASURED: dict[str, Literal["extents", "heights"]] = {
    "biggest": "extents",
    "smallest": "extents",
    "tallest": "heights",
    "shortest": "heights",
    "big": "extents",
    "small": "extents",
    "tall": "heights",
    "short": "heights",
}
"""The size that a superlative, a comparison or a relation is about."""

_MAX_LISTED = 3


def steps_to(program: AnyProgram, scene: Scene) -> list[Finding]:
    """Return what is found before the answer of `program`."""
    if isinstance(program, (Filter, Known)):
        return []
    if isinstance(program, Ordinal):
        order, _ = ordered(scene.facts, program.axis, scene.matching(program.of))
        return [("position", index) for index in order[: program.rank - 1]]
    if isinstance(program, Superlative):
        return _candidates(program, scene)
    found: list[Finding] = []
    for anchor in anchors(program):
        found += [*steps_to(anchor, scene), ("position", execute(anchor, scene))]
        if isinstance(program, (Compare, Standing)) and operation(program) in MEASURED:
            found.append((MEASURED[operation(program)], execute(anchor, scene)))
    return found


def _candidates(program: Superlative, scene: Scene) -> list[Finding]:
    """Of a superlative among a few objects of one name, all of them, from the left."""
    among = scene.matching(program.of)
    if program.of == ANY or len(among) > _MAX_LISTED:
        return []
    found: list[Finding] = []
    for index in sorted(among, key=lambda i: float(scene.facts.u[i])):
        found.append(("position", index))
        if program.attribute in MEASURED:
            found.append((MEASURED[program.attribute], index))
    return found


def passed_through(program: Program, scene: Scene) -> list[int]:
    """Return all anchors and intermediate results of a program, without what was only counted."""
    found: list[int] = []
    for anchor in anchors(program):
        found += [*passed_through(anchor, scene), execute(anchor, scene)]
    return found
