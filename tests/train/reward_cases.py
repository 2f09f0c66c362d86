"""For every reward: an item, its right answer, an honest wrong one, and attempts to cheat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.data.masks import encode
from robo_refer.parsing import format_answer
from robo_refer.types import Answer, Step
from robo_refer_train.rewards import Truth

SIZE_PX = (960, 540)


def disc(centre: tuple[float, float], radius_px: float, size_px: tuple[int, int]) -> np.ndarray:
    """Return the (height, width) mask of a disc around a point in [0, 1]."""
    width, height = size_px
    v, u = np.mgrid[0:height, 0:width]
    x, y = centre[0] * width - 0.5, centre[1] * height - 0.5
    return (u - x) ** 2 + (v - y) ** 2 <= radius_px**2


STEPS = (
    Step("position", "red box", (0.2, 0.3)),
    Step("size", "red box", (0.25,)),
    Step("orientation", "mug handle", (0.6, 0.0, -0.8)),
)
POINTING = Truth(
    prompt="the mug left of the red box whose handle points away",
    size_px=SIZE_PX,
    points=((0.4, 0.6),),
    mask=encode(disc((0.4, 0.6), 12, (192, 108))),
    steps=STEPS,
)
ABSENT = Truth("the banana on the red box", SIZE_PX, (), None, STEPS[:1])
RIGHT = format_answer(Answer(((0.4, 0.6),), STEPS))
WRONG = format_answer(
    Answer(
        ((0.9, 0.1),),
        (
            Step("position", "red box", (0.8, 0.9)),
            Step("size", "red box", (0.9,)),
            Step("orientation", "mug handle", (-0.6, 0.0, 0.8)),
        ),
    )
)
BOXES = Truth("all mugs", SIZE_PX, boxes=((0.1, 0.1, 0.3, 0.4), (0.6, 0.5, 0.8, 0.9)))


@dataclass(frozen=True)
class Case:
    """An item of a reward. No cheat may earn more than `wrong`, and `right` earns 1."""

    truth: Truth
    right: str
    wrong: str
    cheats: tuple[str, ...]


def answered(final: str, thinking: str = "because") -> str:
    return f"<think>{thinking}</think>\n<answer>{final}</answer>"


def grid(columns: int, rows: int) -> str:
    """Return points all over the image, as a list."""
    places = [
        f"({(c + 0.5) / columns:.3f}, {(r + 0.5) / rows:.3f})"
        for r in range(rows)
        for c in range(columns)
    ]
    return f"[{', '.join(places)}]"


def box_list(*boxes: tuple[float, ...], confidence: float = 1.0) -> str:
    parts = [f'{{"Position": {list(box)}, "Confidence": {confidence}}}' for box in boxes]
    return f"[{', '.join(parts)}]"


def tiled(columns: int, rows: int) -> list[tuple[float, ...]]:
    return [
        (c / columns, r / rows, (c + 1) / columns, (r + 1) / rows)
        for r in range(rows)
        for c in range(columns)
    ]


NOTHING = (
    "",
    "   ",
    "<answer></answer>",
    "<think></think><answer></answer>",
    answered(""),
    answered("   "),
    "<think>" * 50 + "</answer>" * 50,
    answered(answered("[(0.400, 0.600)]")),
    f"{RIGHT}\n{RIGHT}",
    "[" * 20000,
    "NaN",
    answered("nan"),
    "\0",
)
"""Empty answers, form without content, broken and repeated form."""

_SPRAYED_STEPS = "\n".join(
    f"[Position] [red box]: [({x / 20:.3f}, {y / 20:.3f})]" for x in range(20) for y in range(20)
)
_PROMPT_AS_STEPS = "\n".join(
    f"[Position] [{phrase}]: [(0.500, 0.500)]"
    for phrase in (POINTING.prompt, "the mug", "mug left of the red box", "red box", "box", "mug")
)
_STEP_CHEATS = (
    answered("[(0.400, 0.600)]", POINTING.prompt),
    f"<think>\n{_SPRAYED_STEPS}\n</think>\n<answer>[(0.400, 0.600)]</answer>",
    f"<think>\n{_PROMPT_AS_STEPS}\n</think>\n<answer>[(0.400, 0.600)]</answer>",
    "[(0.400, 0.600)]",
)
_POINT_CHEATS = (
    answered(grid(30, 20)),
    answered(grid(2, 1)),
    grid(40, 40),
    answered("[]"),
    answered("[(0.400, 0.600), (0.401, 0.601)]"),
    answered("(0.400, 0.600)"),
    answered("here: [(0.400, 0.600)]"),
    answered("[(384, 324)]"),
)
_BOX_CHEATS = (
    answered("[]"),
    answered(box_list((0.0, 0.0, 1.0, 1.0))),
    answered(box_list(*[(0.0, 0.0, 1.0, 1.0)] * 50)),
    answered(box_list(*[(0.1, 0.1, 0.3, 0.4)] * 50)),
    answered(box_list(*tiled(20, 20), confidence=0.0)),
    answered(box_list(*tiled(4, 3), confidence=0.01)),
    answered(box_list((-1e9, -1e9, 1e9, 1e9))),
    answered(box_list((0.1, 0.1, 0.3, 0.4), (0.6, 0.5, 0.8))),
    answered('[{"Position": [0.1, 0.1, 0.3, 0.4], "Confidence": NaN}]'),
    answered('{"Position": [0.1, 0.1, 0.3, 0.4]}'),
)
_LABELS = "mug red box banana yes no true false (a) (b) (c) (d) 0 1 2 3 4 5 6 7 8 9"
_WORD_CHEATS = (
    answered(_LABELS),
    answered(_LABELS.replace(" ", "")),
    answered(_LABELS.replace(" ", ", ")),
    _LABELS,
)

CASES: dict[str, Case] = {
    "outcome_format": Case(POINTING, RIGHT, WRONG, (*NOTHING, answered("no points", "a"))),
    "point": Case(POINTING, RIGHT, WRONG, NOTHING + _POINT_CHEATS),
    "point_mask": Case(POINTING, RIGHT, WRONG, NOTHING + _POINT_CHEATS),
    "process_format": Case(
        POINTING,
        RIGHT,
        answered("[]"),
        (
            *NOTHING,
            _STEP_CHEATS[0],
            RIGHT.replace("<think>\n", "<think>\nso\n"),
            RIGHT.replace("<think>\n", "<think>\n" + "[Size] [red box]: 0.250\n" * 30),
        ),
    ),
    "process_accuracy": Case(POINTING, RIGHT, WRONG, NOTHING + _STEP_CHEATS),
    "process_accuracy_graded": Case(POINTING, RIGHT, WRONG, NOTHING + _STEP_CHEATS),
    "box_iou": Case(
        BOXES,
        answered(box_list(*BOXES.boxes)),
        answered(box_list((0.4, 0.1, 0.5, 0.2), (0.9, 0.9, 1.0, 1.0))),
        NOTHING + _BOX_CHEATS,
    ),
    "box_confidence": Case(
        BOXES,
        answered(box_list(*BOXES.boxes)),
        answered(box_list((0.4, 0.1, 0.5, 0.2), (0.9, 0.9, 1.0, 1.0))),
        NOTHING + _BOX_CHEATS,
    ),
    "point_in_box": Case(
        Truth("the mug", SIZE_PX, boxes=((0.3, 0.5, 0.5, 0.7),)),
        answered("[(0.400, 0.600)]"),
        answered("[(0.900, 0.100)]"),
        NOTHING + _POINT_CHEATS,
    ),
    "classification": Case(
        Truth("what is it?", reply="Red mug"),
        answered("red_mug"),
        answered("banana"),
        NOTHING + _WORD_CHEATS + (answered("red"), answered("a red mug and more")),
    ),
    "discrete": Case(
        Truth("how many mugs?", reply="3"),
        answered("3.0"),
        answered("4"),
        NOTHING + _WORD_CHEATS + (answered("1 2 3"), answered("3 or 4"), answered("infinity")),
    ),
    "numeric": Case(
        Truth("how far is the mug?", reply="0.50 m"),
        answered("50 cm"),
        answered("1.5 m"),
        NOTHING
        + _WORD_CHEATS
        + (
            answered("0.5"),
            answered("0.4 m, 0.5 m, 0.6 m"),
            answered("0.5 degrees"),
            answered("1e999 m"),
            answered("inf m"),
            answered("0.1-0.9 m"),
        ),
    ),
    "function_sequence": Case(
        Truth("what changed?", reply="change_color(cube_1, red), change_size(ball_2, large)"),
        answered("change_size(ball_2, large) change_color(cube_1, red)"),
        answered("change_shape(cube_1, cone), change_material(ball_2, glass)"),
        (
            *NOTHING,
            answered("change_color change_size"),
            answered("change_color(), change_size()"),
            answered("change_color(cube_1, red) or change_size(ball_2, large)"),
            answered(
                ", ".join(
                    f"change_{what}({thing}_{n}, {value})"
                    for what in ("color", "size", "shape")
                    for thing in ("cube", "ball")
                    for n in range(3)
                    for value in ("red", "large")
                )
            ),
            answered("change_color(cube_1, red), " * 50),
        ),
    ),
    "ui_action": Case(
        Truth("open the first mail", action="Click(box=(0.31, 0.42))"),
        answered("Click(box=(0.31, 0.42))"),
        answered("Scroll(start=(0.5, 0.5), end=(0.5, 0.1))"),
        (
            *NOTHING,
            answered("Click(box=(0.31, 0.42)); Click(box=(0.5, 0.5))"),
            answered("[Click(box=(0.31, 0.42)), Wait()]"),
            answered("Click(0.31, 0.42)"),
            answered("Click(box=(1e999, 0.4))"),
            answered("Click(box=__import__('os').getcwd())"),
            answered("(" * 3000),
        ),
    ),
}
"""Reward -> its case; a test holds this to hold every reward of `REWARDS`."""
