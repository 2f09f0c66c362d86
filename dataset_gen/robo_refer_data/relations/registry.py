"""The registry of spatial relations: one file each in `listed`, three-valued, with margins.

A relation says YES, NO or UNSURE of every subject and reference in a scene. UNSURE is what lies
between its two margins, or what cannot be known: it is never asked. Measures give a number instead,
NaN where it is not to be asked.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import FloatArray
from robo_refer_data.relations.facts import Facts

YES, NO, UNSURE = 1, 0, -1

Truth = NDArray[np.int8]
"""Entries YES, NO or UNSURE."""

Form = Literal["pair", "single", "between", "measure", "measure_pair", "place"]
"""What `decide` returns for n objects.

pair: Truth (n, n), [subject, reference]; single: Truth (n,); between: Truth (n, n, n), [subject,
first, second]; measure: (n,) numbers; measure_pair: (n, n) numbers; place: a `FreeSpace`.
"""

Frame = Literal["image", "camera", "world", "object", "none"]
"""Where it is decided: in the picture, along the camera's axes, along gravity, along an object's
own axes, or in no frame (lengths and contacts)."""


@dataclass(frozen=True)
class Relation:
    """One relation.

    Attributes:
        name: snake case.
        form, frame: see `Form`, `Frame`.
        says: how it is said: of a pair, what stands between subject and reference ("to the left
            of"); of a single, what stands behind it, with `{support}` for what the main support
            is called; of a measure, its name and its unit.
        inverse: the relation that holds from the reference to the subject, or "".
        definition: the words of its file.
        margin: what lies between yes and no.
        example: an instruction or question.
        decide: its truth in a scene.
        own: not one of the paper's.
    """

    name: str
    form: Form
    frame: Frame
    says: tuple[str, ...]
    inverse: str
    definition: str
    margin: str
    example: str
    decide: Callable[[Facts], Any]
    own: bool = False


RELATIONS: dict[str, Relation] = {}


def relation(
    name: str,
    form: Form,
    frame: Frame,
    says: tuple[str, ...],
    *,
    margin: str,
    example: str,
    inverse: str = "",
    own: bool = False,
) -> Callable[[Callable[[Facts], Any]], Callable[[Facts], Any]]:
    """Register the decorated function as the relation of this name; its docstring defines it."""

    def register(decide: Callable[[Facts], Any]) -> Callable[[Facts], Any]:
        definition = " ".join(inspect.getdoc(decide).split())  # type: ignore[union-attr]
        RELATIONS[name] = Relation(
            name, form, frame, says, inverse, definition, margin, example, decide, own
        )
        return decide

    return register


def find(name: str) -> Relation:
    """Return a relation by its name.

    Raises:
        RoboReferError: BAD_REQUEST when there is none of this name.
    """
    if name not in RELATIONS:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no relation {name!r}.",
            f"Choose among: {', '.join(RELATIONS)}.",
        )
    return RELATIONS[name]


def beyond(values: FloatArray, yes: float, no: float | None = None) -> Truth:
    """YES from `yes` up, NO from `no` down (default: as far on the other side), else UNSURE."""
    low = -yes if no is None else no
    truth = np.full(values.shape, UNSURE, np.int8)
    truth[values >= yes] = YES
    truth[values <= low] = NO
    return truth


def pairs(truth: Truth) -> Truth:
    """Return a pair relation's truth with UNSURE on the diagonal: nothing relates to itself."""
    np.fill_diagonal(truth, UNSURE)
    return truth


def both(first: Truth, second: Truth) -> Truth:
    """YES where both say yes, NO where both say no: two measures of one thing must agree."""
    return np.where(first == second, first, UNSURE).astype(np.int8)


def minus(values: FloatArray | list[float]) -> FloatArray:
    """Return (n, n): the subject's value minus the reference's."""
    array = np.asarray(values, dtype=float)
    difference: FloatArray = array[:, None] - array[None]
    return difference


def log_ratio(values: FloatArray | list[float]) -> FloatArray:
    """Return (n, n): the logarithm of the subject's value over the reference's."""
    return minus(np.log(np.asarray(values, dtype=float)))
