"""Families: answers as these models really write them give the right points."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import FAMILIES, Task, family
from robo_refer.parsing.families import QWEN25_GRID_PX, QWEN25_MAX_PIXELS, qwen25_size
from robo_refer.parsing.readers import MAX_POINTS

WIDTH, HEIGHT = 640, 480
QWEN_WIDTH, QWEN_HEIGHT = 644, 476  # 23 and 17 cells of 28

# As published: model cards, demos and documentation of each family, or its released evaluation.
REAL = [
    ("robo_refer", "<think>\n[Position] [red mug]: [(0.412, 0.633)]\n</think>\n"
     "<answer>[(0.341, 0.610)]</answer>", [(0.341, 0.61)]),
    ("roborefer", "[(0.478, 0.519)]", [(0.478, 0.519)]),
    ("roborefer", "<think> Step1: [Position] [pen holder]: [(0.139, 0.628)] </think>"
     "<answer>[(0.341, 0.510)]</answer>", [(0.341, 0.51)]),
    ("roborefer", "[(0.461, 0.527), (0.498, 0.521), (0.470, 0.549)]",
     [(0.461, 0.527), (0.498, 0.521), (0.47, 0.549)]),
    ("robobrain", "<think>Thus, points between the two mugs include (376, 309), (332, 357)."
     "</think><answer>[(376, 309), (332, 357)]</answer>",
     [(376.5 / 644, 309.5 / 476), (332.5 / 644, 357.5 / 476)]),
    ("robobrain", "[577, 224, 638, 310]", [(608 / 644, 267.5 / 476)]),
    ("robobrain25", "[(522, 417)]", [(0.522, 0.417)]),
    ("molmo", ' <point x="63.5" y="44.5" alt="Mt Rainier">Mt Rainier</point>', [(0.635, 0.445)]),
    ("molmo", 'Counting the <points x1="9.1" y1="11.7" x2="17.2" y2="41.3" x10="26.8" y10="54.4" '
     'alt="the boats">the boats</points> shows a total of 3.',
     [(0.091, 0.117), (0.172, 0.413), (0.268, 0.544)]),
    ("molmo", 'Counting the <points coords="1 1 073 160 2 173 600" alt="boats">the boats</points>'
     " shows a total of 2.", [(0.073, 0.16), (0.173, 0.6)]),
    ("molmo", '<points coords="1 1 105 205"/>', [(0.105, 0.205)]),
    ("molmo", "Click(12.3, 45.6)", [(0.123, 0.456)]),
    ("molmo", "The cup (12.3, 45.6).", [(0.123, 0.456)]),
    ("molmo", "p=123,456", [(0.123, 0.456)]),
    ("molmo", "There are none.", []),
    ("gemini", '```json\n[\n  {"point": [376, 508], "label": "small banana"},\n'
     '  {"point": [287, 609], "label": "large banana"}\n]\n```', [(0.508, 0.376), (0.609, 0.287)]),
    ("gemini", '[{"box_2d": [1, 2, 3, 4], "label": "a"}, {"point": [376.0, 508.5]}]',
     [(0.5085, 0.376)]),
    ("qwen", '```json\n[\n\t{"point_2d": [394, 105], "label": "the leftmost cup"}\n]\n```',
     [(394.5 / 644, 105.5 / 476)]),
    ("qwen", '[{"bbox_2d": [0, 0, 643, 475], "label": "table"}]', [(0.5, 0.5)]),
    ("qwen3", '```json\n[\n\t{"point_2d": [512, 300], "label": "cup"}\n]\n```', [(0.512, 0.3)]),
    ("qwen3", '{"point_2d": [512, 300]', [(0.512, 0.3)]),
    ("qwen3", "<think>\nThe cup is near [400, 400].\n</think>\n\n"
     '[{"point_2d": [512, 300], "label": "cup"}]', [(0.512, 0.3)]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), REAL)
def test_real_answers(name, text, expected):
    points = FAMILIES[name].read(text, WIDTH, HEIGHT).points
    assert len(points) == len(expected)
    for point, true in zip(points, expected, strict=True):
        assert point == pytest.approx(true, abs=1e-12)


def test_every_family_has_real_answers():
    assert {name for name, _, _ in REAL} == set(FAMILIES)


def test_prompts_ask_for_the_phrase_or_the_whole_instruction():
    task = Task("Please point out the mug left of the box.", "the mug", "Answer as tuples.")
    for name in ("roborefer", "robobrain", "robobrain25", "robo_refer"):
        assert FAMILIES[name].prompt(task).startswith(task.instruction)
    for name in ("molmo", "gemini", "qwen", "qwen3"):
        assert task.target in FAMILIES[name].prompt(task)
        assert task.instruction not in FAMILIES[name].prompt(task)
        assert task.instruction in FAMILIES[name].prompt(Task(task.instruction))
    assert FAMILIES["roborefer"].prompt(task) == f"{task.instruction} {task.suffix}"
    assert FAMILIES["robo_refer"].prompt(task) == task.instruction


@given(width=st.integers(16, 8000), height=st.integers(16, 5000))
def test_qwen_sees_whole_cells_and_the_same_picture(width, height):
    shown_width, shown_height = qwen25_size(width, height)
    assert shown_width % QWEN25_GRID_PX == shown_height % QWEN25_GRID_PX == 0
    assert min(shown_width, shown_height) >= QWEN25_GRID_PX
    # Very long images keep one cell; all others stay under the limit, and are shown once.
    if min(width, height) * 40 > max(width, height):
        assert shown_width * shown_height <= QWEN25_MAX_PIXELS
        assert qwen25_size(shown_width, shown_height) == (shown_width, shown_height)


def test_unknown_families_are_named():
    with pytest.raises(RoboReferError, match="molmo") as caught:
        family("gpt")
    assert caught.value.code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != "robo_refer"])
def test_a_carpet_of_points_is_no_answer(name):
    point = {
        "molmo": '<point x="1" y="2">',
        "gemini": '{"point":[1,2]}',
        "qwen": '{"point_2d":[1,2]}',
        "qwen3": '{"point_2d":[1,2]}',
    }.get(name, "(1,2)")
    assert len(FAMILIES[name].read(point * MAX_POINTS, WIDTH, HEIGHT).points) == MAX_POINTS
    with pytest.raises(RoboReferError, match="points") as caught:
        FAMILIES[name].read(point * (MAX_POINTS + 1), WIDTH, HEIGHT)
    assert caught.value.code is ErrorCode.UNPARSABLE_ANSWER
