"""Whether every step of a composition is needed."""

from __future__ import annotations

from dataclasses import replace

from robo_refer_data.programs.execute import execute, spots
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.steps import passed_through
from robo_refer_data.programs.types import Free, Program, Relate, Standing, anchors
from robo_refer_data.relations.free_space import SIDES, Spot

MOST_KEPT = 0.5
"""Share of a region with a condition less that may be right."""


def without_a_step(program: Program) -> list[Program]:
    """Return the shorter programs that result from dropping one relation, keeping its anchors.

    The outermost relation is not dropped: what is left would be an intermediate result.
    """
    if not isinstance(program, (Relate, Standing)) or program.anchor is None:
        return []
    inner = [*anchors(program.anchor), *without_a_step(program.anchor)]
    return [replace(program, anchor=anchor) for anchor in inner]


def needs_every_step(program: Program, scene: Scene) -> bool:
    """Whether dropping any step changes or blurs the answer, and the way has no loop."""
    answer = execute(program, scene)
    visited = [*passed_through(program, scene), answer]
    if len(set(visited)) < len(visited):
        return False
    return all(execute(shorter, scene) != answer for shorter in without_a_step(program))


def region_needs_every_step(program: Free, scene: Scene) -> bool:
    """Whether dropping a condition, its distance or a step to an anchor loses the region.

    With a condition less the region must be twice as large at least; and the best point of the
    region must lie outside those of shorter ways to an anchor.
    """
    wanted = spots(program, scene)
    space = scene.free_space
    region = None if wanted is None else space.region(*wanted)
    if wanted is None or region is None:
        return False
    most = space.pixels(*wanted) / MOST_KEPT
    if any(space.pixels(*looser) < most for looser in _looser(wanted)):
        return False
    others = (space.region(*astray) for astray in _astray(program, wanted, scene))
    return not any(other.holds(region.point_norm) for other in others if other is not None)


def _looser(wanted: tuple[Spot, ...]) -> list[tuple[Spot, ...]]:
    """Return the conditions without one of them, or without its distance."""
    found = [wanted[:i] + wanted[i + 1 :] for i in range(len(wanted)) if len(wanted) > 1]
    for i, (kind, anchors_, _) in enumerate(wanted):
        side = kind.removeprefix("apart_")
        if side != kind and side in SIDES:
            found.append((*wanted[:i], (side, anchors_, 0.0), *wanted[i + 1 :]))
    return found


def _astray(program: Free, wanted: tuple[Spot, ...], scene: Scene) -> list[tuple[Spot, ...]]:
    """Return the conditions with an anchor replaced by what only led to it."""
    found: list[tuple[Spot, ...]] = []
    for i, place in enumerate(program.places):
        kind, indices, far_m = wanted[i]
        for k, anchor in enumerate(place.anchors):
            for other in passed_through(anchor, scene):
                swapped = (*indices[:k], other, *indices[k + 1 :])
                found.append((*wanted[:i], (kind, swapped, far_m), *wanted[i + 1 :]))
    return found
