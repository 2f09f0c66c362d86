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
    Free,
    Known,
    Ordinal,
    Standing,
    Superlative,
    anchors,
    operation,
)

Finding = tuple[Literal["position", "front", "extents", "heights"], int]
"""What is perceived, and of which object (index): where it is, where its front points, or a size
(of `Facts`), metres."""

BY_FRONT = ("faced", "facing", "aligned", "parallel")
"""Relations and places for which the anchor's front must be seen."""

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
        order, _ = scene.ordered(program.axis, program.of)
        return [("position", index) for index in order[: program.rank - 1]]
    if isinstance(program, Superlative):
        return _candidates(program, scene)
    if isinstance(program, Free):
        return _placed(program, scene)
    found: list[Finding] = []
    for anchor in anchors(program):
        found += [*steps_to(anchor, scene), ("position", execute(anchor, scene))]
        if isinstance(program, (Compare, Standing)) and operation(program) in MEASURED:
            found.append((MEASURED[operation(program)], execute(anchor, scene)))
    if isinstance(program, Standing) and program.relation in BY_FRONT:
        found += [("front", execute(anchor, scene)) for anchor in anchors(program)]
    return found


def _placed(program: Free, scene: Scene) -> list[Finding]:
    """Of every condition its anchors, and the front of one that points somewhere."""
    found: list[Finding] = []
    for place in program.places:
        for anchor in place.anchors:
            index = execute(anchor, scene)
            found += [*steps_to(anchor, scene), ("position", index)]
            if place.kind in BY_FRONT:
                found.append(("front", index))
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


def passed_through(program: AnyProgram, scene: Scene) -> list[int]:
    """Return all anchors and intermediate results of a program, without what was only counted."""
    found: list[int] = []
    for anchor in anchors(program):
        found += [*passed_through(anchor, scene), execute(anchor, scene)]
    return found
