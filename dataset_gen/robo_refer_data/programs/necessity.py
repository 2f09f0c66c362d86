"""Whether every step of a composition is needed."""

from __future__ import annotations

from dataclasses import replace

from robo_refer_data.programs.execute import execute
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.steps import passed_through
from robo_refer_data.programs.types import FreeSide, Program, Relate, Standing, anchors


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


def region_needs_every_step(program: FreeSide, scene: Scene) -> bool:
    """Whether the answer of a free-space question falls outside the regions of shorter ones."""
    region = scene.free_space.side(program.side, execute(program.anchor, scene))
    if region is None:
        return False
    height, width = region.mask.shape
    column, row = int(region.point_norm[0] * width), int(region.point_norm[1] * height)
    for anchor in passed_through(program.anchor, scene):
        other = scene.free_space.side(program.side, anchor)
        if other is not None and other.mask[row, column]:
            return False
    return True
