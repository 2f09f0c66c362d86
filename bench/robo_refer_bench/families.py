"""How the released evaluator tells families of models, and reads each of them.

It knows a family by words in the model's name and reads the answers of some in a form that they do
not write (Qwen is asked for JSON and read as tuples). What they really write is in
`robo_refer.parsing.FAMILIES`, whose names are used here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import FAMILIES

Form = Literal["tuples", "pixel_tuples", "xml", "json"]


@dataclass(frozen=True)
class Released:
    """The evaluator's view of one family.

    Attributes:
        form: how it reads the family's answers.
        marks: words in a model's name that tell it, as the evaluator spells them.
    """

    form: Form
    marks: tuple[str, ...]


RELEASED: dict[str, Released] = {
    "roborefer": Released("tuples", ("RoboPoint", "RoboRefer", "Claude", "GPT4O")),
    "robobrain": Released("pixel_tuples", ("RoboBrain",)),
    "qwen3": Released("pixel_tuples", ("Qwen3",)),
    "qwen": Released("pixel_tuples", ("Qwen",)),
    "molmo": Released("xml", ("Molmo",)),
    "gemini": Released("json", ("Gemini",)),
    "robo_refer": Released("tuples", ("nano",)),
}
"""By family, in the order in which a name is searched for marks, which is the evaluator's."""


def family_of(model: str) -> str:
    """Return the family that a model's name tells; raises BAD_REQUEST where it tells none."""
    for name, released in RELEASED.items():
        if any(mark in model for mark in released.marks):
            return name
    raise RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"The name {model!r} does not tell how the model writes points.",
        f"Use --family with one of: {', '.join(FAMILIES)}.",
    )
