"""What a kind of question may ask of a scene: programs per possible target."""

from __future__ import annotations

from collections.abc import Iterable

from robo_refer_data.programs.types import AnyProgram

Candidates = dict[int, list[AnyProgram]]
"""Target (object index; for free space, an anchor's index) to programs."""


def grouped(pairs: Iterable[tuple[int, AnyProgram]]) -> Candidates:
    """Return (target, program) pairs by their target."""
    found: Candidates = {}
    for target, program in pairs:
        found.setdefault(target, []).append(program)
    return found
