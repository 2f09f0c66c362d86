"""Families of models: how each writes a point, for either scoring mode.

The released evaluator knows a family by words in the model's name and reads the answers of some of
them in a form that they do not write (Qwen is asked for JSON and read as tuples); `released` keeps
that, `reader` is the form that the family really writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError

Released = Literal["tuples", "pixel_tuples", "xml", "json"]


@dataclass(frozen=True)
class Family:
    """One family.

    Attributes:
        reader: name in `robo_refer.parsing.READERS`, for `strict`.
        released: how the released evaluator reads it, None where that knows no such family.
        marks: words in a model's name that tell it, as the released evaluator spells them.
    """

    reader: str
    released: Released | None
    marks: tuple[str, ...] = ()


FAMILIES: dict[str, Family] = {
    "roborefer": Family("roborefer_tuples", "tuples", ("RoboPoint", "RoboRefer")),
    "claude": Family("roborefer_tuples", "tuples", ("Claude",)),
    "gpt": Family("roborefer_tuples", "tuples", ("GPT4O",)),
    "robobrain": Family("robobrain_pixels", "pixel_tuples", ("RoboBrain",)),
    "qwen3": Family("qwen3_norm1000", "pixel_tuples", ("Qwen3",)),
    "qwen": Family("qwen25_pixels", "pixel_tuples", ("Qwen",)),
    "molmo": Family("molmo_xml", "xml", ("Molmo",)),
    "gemini": Family("gemini_json", "json", ("Gemini",)),
    "norm1000": Family("norm1000_xy", None),
    "robo_refer": Family("robo_refer", "tuples", ("nano",)),
}
"""In the order in which a name is searched for their marks, which is that of the evaluator."""


def find_family(name: str) -> Family:
    """Return a family by its name; raises BAD_REQUEST with the names that there are."""
    if name in FAMILIES:
        return FAMILIES[name]
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"There is no family of models {name!r}.",
        f"Use --family with one of: {', '.join(FAMILIES)}.",
    )


def family_of(model: str) -> str:
    """Return the family that a model's name tells; raises BAD_REQUEST where it tells none."""
    for name, family in FAMILIES.items():
        if any(mark in model for mark in family.marks):
            return name
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"The name {model!r} does not tell how the model writes points.",
        f"Use --family with one of: {', '.join(FAMILIES)}.",
    )
