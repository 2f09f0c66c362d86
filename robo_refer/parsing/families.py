"""Families of models: how each is asked to point, what image it is shown, how it is read.

A model points well only in the form that it was trained on. Each family is one entry of `FAMILIES`:
its prompt, its reader and the convention of its coordinates. A new one is a function and an entry.

The prompts are ours in wording; what they ask for (whole instruction or object phrase, one point
or several, which numbers) is what each family's own documentation or evaluation asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import readers
from robo_refer.parsing.readers import Reader
from robo_refer.types import Answer

QWEN25_GRID_PX = 28
"""Qwen2-VL and Qwen2.5-VL see whole cells of 14-pixel patches, merged two by two."""
QWEN25_MAX_PIXELS = 16384 * QWEN25_GRID_PX**2
"""The limit that their processor comes with."""


@dataclass(frozen=True)
class Task:
    """What is asked.

    Attributes:
        instruction: the whole question ("Please point out the mug left of the box.").
        target: the phrase of what is referred to ("the mug left of the box"), "" if it has none.
        suffix: how a benchmark wants the answer written, "" if it does not say.
    """

    instruction: str
    target: str = ""
    suffix: str = ""

    @property
    def phrase(self) -> str:
        """The phrase of what is referred to, or the instruction that stands for it."""
        return self.target or self.instruction


Prompt = Callable[[Task], str]
ShownSize = Callable[[int, int], tuple[int, int]]
"""(width, height) of an image -> that of what the model is shown, pixels."""


def _same_size(width: int, height: int) -> tuple[int, int]:
    return width, height


def qwen25_size(width: int, height: int) -> tuple[int, int]:
    """Return the size that Qwen2-VL and Qwen2.5-VL see, of which their answers count the pixels.

    Whole cells of 28 pixels, at most `QWEN25_MAX_PIXELS`. Their processor leaves an image that is
    sent at this size as it is, so that nobody has to guess what the numbers refer to.
    """
    columns, rows = (max(1, round(side / QWEN25_GRID_PX)) for side in (width, height))
    scale = sqrt(QWEN25_MAX_PIXELS / (columns * rows)) / QWEN25_GRID_PX
    if scale < 1:
        columns, rows = max(1, int(columns * scale)), max(1, int(rows * scale))
    return QWEN25_GRID_PX * columns, QWEN25_GRID_PX * rows


@dataclass(frozen=True)
class Family:
    """One family of models.

    Attributes:
        models: which models belong to it.
        coordinates: what the numbers of its answers mean.
        prompt: writes the text that it is asked with.
        reader: reads its answers.
        shown_size: the size of the image that it is shown.
    """

    models: str
    coordinates: str
    prompt: Prompt
    reader: Reader
    shown_size: ShownSize = _same_size

    def read(self, text: str, width: int, height: int) -> Answer:
        """Return what an answer about a (width, height) image says, points in [0, 1].

        Raises:
            RoboReferError: UNPARSABLE_ANSWER.
        """
        return self.reader(text, *self.shown_size(width, height))


def _instruction(task: Task) -> str:
    return task.instruction


def _normalised_tuples(task: Task) -> str:
    suffix = task.suffix or (
        "Answer with a list of tuples, [(x1, y1), ...]: the x and y of each point as fractions of "
        "the image's width and height, between 0 and 1."
    )
    return f"{task.instruction} {suffix}"


def _pixel_tuples(task: Task) -> str:
    return (
        f"{task.instruction} Answer with a list of tuples, [(x1, y1), ...]: the x and y of each "
        "point in pixels of the image."
    )


def _thousandth_tuples(task: Task) -> str:
    return (
        f"{task.instruction} Answer with a list of tuples, [(x1, y1), ...]: the x and y of each "
        "point as whole numbers between 0 and 1000, relative to the image's width and height."
    )


def _molmo(task: Task) -> str:
    return f"Point to {task.phrase}" if task.target else task.instruction


def _gemini(task: Task) -> str:
    return (
        f"Locate one point of: {task.phrase}. Answer in JSON: "
        '[{"point": [y, x], "label": "..."}], y and x whole numbers between 0 and 1000.'
    )


def _qwen25(task: Task) -> str:
    return (
        f"Locate: {task.phrase}. Output the coordinates of its point in JSON: "
        '[{"point_2d": [x, y], "label": "..."}].'
    )


def _qwen3(task: Task) -> str:
    return (
        f"Locate: {task.phrase}. Output the coordinates of its point in JSON: "
        '[{"point_2d": [x, y], "label": "..."}], x and y relative, between 0 and 1000.'
    )


FAMILIES: dict[str, Family] = {
    "robo_refer": Family(
        "this project's own models", "(x, y) in [0, 1]", _instruction, readers.robo_refer
    ),
    "roborefer": Family(
        "RoboRefer, RoboPoint, and any model that answers as it is asked to",
        "(x, y) in [0, 1]; whole numbers above 1 are pixels",
        _normalised_tuples,
        readers.roborefer_tuples,
    ),
    "robobrain": Family(
        "RoboBrain 2.0",
        "(x, y) in pixels of the image as shown",
        _pixel_tuples,
        readers.robobrain_pixels,
        qwen25_size,
    ),
    "robobrain25": Family(
        "RoboBrain 2.5",
        "(x, y) in thousandths",
        _thousandth_tuples,
        readers.norm1000_xy,
    ),
    "molmo": Family(
        "Molmo, Molmo 2",
        "x, y in percent; Molmo 2: thousandths",
        _molmo,
        readers.molmo_points,
    ),
    "gemini": Family(
        "Gemini, Gemini Robotics-ER", "[y, x] in thousandths", _gemini, readers.gemini_json
    ),
    "qwen": Family(
        "Qwen2-VL, Qwen2.5-VL",
        "[x, y] in pixels of the image as shown",
        _qwen25,
        readers.qwen25_pixels,
        qwen25_size,
    ),
    "qwen3": Family(
        "Qwen3-VL, Qwen3.5-VL", "[x, y] in thousandths", _qwen3, readers.qwen3_norm1000
    ),
}
"""Every family by its name."""


def family(name: str) -> Family:
    """Return a family by its name.

    Raises:
        RoboReferError: BAD_REQUEST with the names that there are.
    """
    if name not in FAMILIES:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no family of models '{name}'.",
            f"Use one of: {', '.join(FAMILIES)}.",
        )
    return FAMILIES[name]
