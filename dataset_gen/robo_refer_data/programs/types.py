"""Typed programs: what an instruction means, as operations on a scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Filter:
    """The objects with these attributes ("" = any)."""

    name: str = ""
    colour: str = ""
    material: str = ""


ANY = Filter()


@dataclass(frozen=True)
class Known:
    """An object by its index in the scene: a gap that sampling fills with a description."""

    index: int


@dataclass(frozen=True)
class Relate:
    """The object that stands in a relation of `relations.ANCHORED` to the anchor.

    `head` only describes the answer once more ("the mug directly left of ..."); an answer that
    does not fit it makes the program ambiguous.
    """

    relation: str
    anchor: Program
    head: Filter = ANY


@dataclass(frozen=True)
class Standing:
    """The one object among those that match `of` of which a relation of `RELATIONS` is true.

    The anchor is what the relation holds to; None where it needs none ("at a corner of the table").
    """

    relation: str
    of: Filter = ANY
    anchor: Program | None = None


@dataclass(frozen=True)
class Between:
    """The object between two others."""

    first: Program
    second: Program
    head: Filter = ANY


@dataclass(frozen=True)
class Ordinal:
    """The rank-th (1-based) from "left", "right" or "front" among the objects that match `of`."""

    axis: str
    rank: int
    of: Filter = ANY


@dataclass(frozen=True)
class Superlative:
    """The extreme (`relations.extremes.EXTREMES`) among the objects that match `of`."""

    attribute: str
    of: Filter = ANY


@dataclass(frozen=True)
class Compare:
    """The one of two objects that comes out as the extreme."""

    attribute: str
    first: Program
    second: Program


@dataclass(frozen=True)
class Place:
    """A condition on a free spot, one of `relations.free_space.PLACES`.

    Attributes:
        kind: "left", "right", "front" or "behind" of one anchor; "between" two; "on" top of one;
            "facing": where the front of one points; "aligned": on the line along which it points;
            "apart_left" and so on: at a distance on that side of one.
        anchors: the objects that it refers to.
        far_m: the distance of "apart".
        part: what points, of "facing" and "aligned" ("handle").
    """

    kind: str
    anchors: tuple[Program, ...]
    far_m: float = 0.0
    part: str = ""


@dataclass(frozen=True)
class Free:
    """The free region where all of some conditions hold."""

    places: tuple[Place, ...]


Program = Filter | Known | Relate | Standing | Between | Ordinal | Superlative | Compare
AnyProgram = Program | Free


def anchors(program: AnyProgram) -> tuple[Program, ...]:
    """Return the programs that a program refers through, in the order they are spoken."""
    if isinstance(program, Relate):
        return (program.anchor,)
    if isinstance(program, (Between, Compare)):
        return (program.first, program.second)
    if isinstance(program, Free):
        return tuple(anchor for place in program.places for anchor in place.anchors)
    if isinstance(program, Standing) and program.anchor is not None:
        return (program.anchor,)
    return ()


def operation(program: Program) -> str:
    """Return the name of a program's outermost operation."""
    if isinstance(program, (Relate, Standing)):
        return program.relation
    if isinstance(program, Ordinal):
        return f"nth_{program.axis}"
    if isinstance(program, (Superlative, Compare)):
        return program.attribute
    return {Filter: "filter", Between: "between"}[type(program)]


def chain(program: AnyProgram) -> list[str]:
    """Return the operations from the innermost out, without plain filters."""
    inner = [name for anchor in anchors(program) for name in chain(anchor)]
    if isinstance(program, Free):
        return [*inner, *(f"free_{place.kind}" for place in program.places)]
    return inner if isinstance(program, (Filter, Known)) else [*inner, operation(program)]


def with_anchors(program: AnyProgram, found: Sequence[Program]) -> AnyProgram:
    """Return the program with other `anchors`, given in the same order."""
    if isinstance(program, (Between, Compare)):
        return replace(program, first=found[0], second=found[1])
    if isinstance(program, Free):
        rest = iter(found)
        places = [
            replace(place, anchors=tuple(next(rest) for _ in place.anchors))
            for place in program.places
        ]
        return Free(tuple(places))
    if isinstance(program, (Relate, Standing)) and found:
        return replace(program, anchor=found[0])
    return program
