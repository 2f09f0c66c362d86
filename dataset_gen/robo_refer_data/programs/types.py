"""Typed programs: what an instruction means, as operations on a scene."""

from __future__ import annotations

from dataclasses import dataclass


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
class FreeSide:
    """The free region of the table to the "left", "right", "front" or "behind" of the anchor."""

    side: str
    anchor: Program


@dataclass(frozen=True)
class FreeBetween:
    """The free region of the table between two anchors."""

    first: Program
    second: Program


Program = Filter | Known | Relate | Standing | Between | Ordinal | Superlative | Compare
Region = FreeSide | FreeBetween
AnyProgram = Program | Region


def anchors(program: AnyProgram) -> tuple[Program, ...]:
    """Return the programs that a program refers through, in the order they are spoken."""
    if isinstance(program, (Relate, FreeSide)):
        return (program.anchor,)
    if isinstance(program, (Between, Compare, FreeBetween)):
        return (program.first, program.second)
    if isinstance(program, Standing) and program.anchor is not None:
        return (program.anchor,)
    return ()


def operation(program: AnyProgram) -> str:
    """Return the name of a program's outermost operation."""
    if isinstance(program, (Relate, Standing)):
        return program.relation
    if isinstance(program, Ordinal):
        return f"nth_{program.axis}"
    if isinstance(program, (Superlative, Compare)):
        return program.attribute
    if isinstance(program, FreeSide):
        return f"free_{program.side}"
    return {Filter: "filter", Between: "between", FreeBetween: "free_between"}[type(program)]


def chain(program: AnyProgram) -> list[str]:
    """Return the operations from the innermost out, without plain filters."""
    inner = [name for anchor in anchors(program) for name in chain(anchor)]
    return inner if isinstance(program, (Filter, Known)) else [*inner, operation(program)]
