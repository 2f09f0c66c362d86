"""Readers: every family's format gives the same points, and nothing makes them guess or hang."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import READERS

WIDTH, HEIGHT = 640, 480

READ = [
    ("robo_refer", "[(0.341, 0.610)]", [(0.341, 0.61)]),
    ("roborefer_tuples", "[(0.341, 0.610)]", [(0.341, 0.61)]),
    ("roborefer_tuples", "It is at ( .5 , 0.25 ).", [(0.5, 0.25)]),
    ("roborefer_tuples", "[[0.3, 0.4], [0.5, 0.6]]", [(0.3, 0.4), (0.5, 0.6)]),
    ("roborefer_tuples", "0.3, 0.4", [(0.3, 0.4)]),
    ("roborefer_tuples", "[(0, 1)]", [(0, 1)]),
    ("roborefer_tuples", "[(1.0, 1)]", [(1, 1)]),
    ("roborefer_tuples", "[(319, 119)]", [(319.5 / 640, 119.5 / 480)]),
    ("roborefer_tuples", "[(0.6, 0.4, 0.2, 0.2)]", [(0.4, 0.3)]),
    ("roborefer_tuples", "[(1.2, 0.5)]", [(1.2, 0.5)]),
    ("roborefer_tuples", "[]", []),
    ("robobrain_pixels", "<answer>[(0, 479)]</answer>", [(0.5 / 640, 479.5 / 480)]),
    ("norm1000_xy", "[(644, 502)]", [(0.644, 0.502)]),
    ("norm1000_xy", "[[100, 200, 300, 400]]", [(0.2, 0.3)]),
    ("molmo_points", ' <point x="64.4" y="50.2" alt="mug">mug</point>', [(0.644, 0.502)]),
    ("molmo_points", "<point x='100' y='0.0'>", [(1, 0)]),
    (
        "molmo_points",
        '<points x1="10.0" y1="20.0" x2="30.5" y2="40" x10="1" y10="2" alt="cups">',
        [(0.1, 0.2), (0.305, 0.4), (0.01, 0.02)],
    ),
    ("gemini_json", '```json\n[{"point": [502, 644], "label": "mug"}]\n```', [(0.644, 0.502)]),
    ("gemini_json", "```json\n[]\n```", []),
    (
        "qwen25_pixels",
        '```json\n[{"point_2d": [319, 119], "label": "mug"},\n {"point_2d": [0, 0]}]\n```',
        [(319.5 / 640, 119.5 / 480), (0.5 / 640, 0.5 / 480)],
    ),
    ("qwen25_pixels", '{"bbox_2d": [0, 0, 639, 479]}', [(0.5, 0.5)]),
    ("qwen25_pixels", "The mug is at (319, 119).", [(319.5 / 640, 119.5 / 480)]),
    ("qwen3_norm1000", '{"point_2d":[512,300]}', [(0.512, 0.3)]),
    ("qwen3_norm1000", "[{'point_2d': [512, 300]}, {'point_2d': [1", [(0.512, 0.3)]),
]


@pytest.mark.parametrize(("name", "text", "expected"), READ)
def test_formats(name: str, text: str, expected: list[tuple[float, float]]) -> None:
    answer = READERS[name](text, WIDTH, HEIGHT)
    assert answer.steps == ()
    assert len(answer.points) == len(expected)
    for point, true in zip(answer.points, expected, strict=True):
        assert point == pytest.approx(true, abs=1e-12)


LENIENT = [name for name in READERS if name != "robo_refer"]
SAME = {
    "roborefer_tuples": "[({x}, {y})]",
    "robobrain_pixels": "[({px}, {py})]",
    "norm1000_xy": "[({tx}, {ty})]",
    "molmo_points": '<point x="{cx}" y="{cy}" alt="it">it</point>',
    "gemini_json": '{{"point": [{ty}, {tx}]}}',
    "qwen25_pixels": '{{"point_2d": [{px}, {py}]}}',
    "qwen3_norm1000": '{{"point_2d": [{tx}, {ty}]}}',
}


def written(name: str, x: int, y: int) -> str:
    """Write the point (x / 1000, y / 1000) as a family does."""
    return SAME[name].format(
        x=f"{x / 1000:.3f}", y=f"{y / 1000:.3f}", tx=x, ty=y, cx=x / 10, cy=y / 10,
        px=f"{x / 1000 * WIDTH - 0.5:.4f}", py=f"{y / 1000 * HEIGHT - 0.5:.4f}",
    )  # fmt: skip


@pytest.mark.parametrize("name", LENIENT)
@given(x=st.integers(0, 1000), y=st.integers(0, 1000))
def test_thoughts_are_not_answers_and_all_families_say_the_same(name: str, x: int, y: int) -> None:
    draft, final = written(name, 111, 222), written(name, x, y)
    for text in (
        final,
        f"<think>{draft}</think><answer>{final}</answer>",
        f"<think>{draft}</think>\n{final}",
        f"<answer>{draft}</answer> no, <answer>{final}</answer>",
        f"<think>{draft}</think><answer>{final}",
    ):
        (point,) = READERS[name](text, WIDTH, HEIGHT).points
        assert point == pytest.approx((x / 1000, y / 1000), abs=1e-6)


@pytest.mark.parametrize("name", READERS)
def test_no_answer_is_an_error_and_not_a_refusal(name: str) -> None:
    draft = written(name, 111, 222) if name in SAME else "[(0.1, 0.2)]"
    for text in ("", "I cannot see it.", f"<think>{draft} hmm", "(1e5, x)", "x" * 100_001):
        with pytest.raises(RoboReferError) as caught:
            READERS[name](text, WIDTH, HEIGHT)
        assert caught.value.code is ErrorCode.UNPARSABLE_ANSWER


def outcome(name: str, text: str) -> ErrorCode | str:
    try:
        READERS[name](text, WIDTH, HEIGHT)
    except RoboReferError as error:
        return error.code
    return "read"


@pytest.mark.parametrize("name", READERS)
@given(text=st.text("()[]<>,.0123456789 -+\"'xypoint_2d:/\n", max_size=300))
def test_any_text_is_read_or_refused(name: str, text: str) -> None:
    assert outcome(name, text) in ("read", ErrorCode.UNPARSABLE_ANSWER)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "part",
    ["1", "(", "[", " ", "(1", "(1,", "(1, ", "( ", '"point_2d": [', "<points x1=", "<point ",
     "[ ", "1,", "0.1, ", "<answer>", "<think>", 'x1="1" ', '"point": [' + " " * 15],
)  # fmt: skip
def test_no_text_is_slow(name: str, part: str) -> None:
    text = part * (100_000 // len(part))
    started = time.process_time()
    assert outcome(name, text) in ("read", ErrorCode.UNPARSABLE_ANSWER)
    # A pattern that grows with the square of the text takes minutes here, any other no second.
    assert time.process_time() - started < 30
