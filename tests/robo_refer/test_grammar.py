"""The grammar: parser and formatter undo each other, and every deviation is placed and named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer, parse
from robo_refer.types import Answer, Step

EXAMPLE = """<think>
[Position] [red mug]: [(0.412, 0.633)]
[Orientation] [mug handle]: (0.312, 0.316, -0.896)
[Size] [red mug]: 0.090
</think>
<answer>[(0.341, 0.610)]</answer>"""

EXAMPLE_ANSWER = Answer(
    ((0.341, 0.61),),
    (
        Step("position", "red mug", (0.412, 0.633)),
        Step("orientation", "mug handle", (0.312, 0.316, -0.896)),
        Step("size", "red mug", (0.09,)),
    ),
)


def thousandths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low, high).map(lambda n: n / 1000)


unit = thousandths(0, 1000)
component = thousandths(-1000, 1000)
points = st.tuples(unit, unit)
targets = st.text(
    st.characters(exclude_characters="[]<>", exclude_categories=["C", "Z"]) | st.just(" "),
    min_size=1,
    max_size=60,
).filter(lambda text: text == text.strip())
steps = st.one_of(
    st.builds(Step, st.just("position"), targets, points),
    st.builds(Step, st.just("orientation"), targets, st.tuples(component, component, component)),
    st.builds(Step, st.just("size"), targets, st.tuples(thousandths(0, 9_999_000))),
)
answers = st.builds(
    Answer,
    st.lists(points, max_size=4).map(tuple),
    st.lists(steps, max_size=5).map(tuple),
)


def outcome(text: str) -> ErrorCode | str:
    try:
        parse(text)
    except RoboReferError as error:
        return error.code if "\n" not in error.message else "several lines"
    return "read"


@given(answers)
def test_parsing_undoes_formatting(answer: Answer) -> None:
    text = format_answer(answer)
    assert parse(text) == answer
    assert parse(f"\n {text}\n") == answer
    assert format_answer(parse(text)) == text


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    assert outcome(text) in ("read", ErrorCode.UNPARSABLE_ANSWER)


@given(st.integers(0, len(EXAMPLE) - 1), st.characters())
def test_any_change_of_one_character_is_read_or_refused(position: int, new: str) -> None:
    text = EXAMPLE[:position] + new + EXAMPLE[position + 1 :]
    assert outcome(text) in ("read", ErrorCode.UNPARSABLE_ANSWER)


def test_the_layout_of_the_three_kinds_of_answer() -> None:
    assert format_answer(EXAMPLE_ANSWER) == EXAMPLE
    assert format_answer(Answer(((0.341, 0.61), (0, 1)))) == "[(0.341, 0.610), (0.000, 1.000)]"
    assert format_answer(Answer(())) == "<answer>[]</answer>"
    none_after_looking = Answer((), EXAMPLE_ANSWER.steps[:1])
    assert format_answer(none_after_looking).endswith("</think>\n<answer>[]</answer>")


def test_rounding_when_printed() -> None:
    answer = Answer(
        ((0.00049, 0.9996),), (Step("orientation", "it", (-0.0004, 0.5, 0.86602540378)),)
    )
    text = format_answer(answer)
    assert "(0.000, 1.000)" in text
    assert "(0.000, 0.500, 0.866)" in text


def test_sizes_are_read_with_one_to_four_decimals() -> None:
    for size in ("0.1", "0.10", "0.100", "0.1000"):
        text = EXAMPLE.replace("0.090", size)
        assert parse(text).steps[2].value == (0.1,)


def test_an_answer_may_stand_in_its_tags_without_thoughts() -> None:
    assert parse("<answer>[(0.5, 0.5)]</answer>") == Answer(((0.5, 0.5),))


WRONG = {
    "nothing": "",
    "prose": "The mug is at (0.3, 0.4).",
    "bare empty list": "[]",
    "no list": "(0.3, 0.4)",
    "above one": "[(1.001, 0.4)]",
    "negative": "[(-0.1, 0.4)]",
    "whole numbers": "[(412, 240)]",
    "one number": "[(0.3)]",
    "box": "[(0.1, 0.2, 0.3, 0.4)]",
    "not a number": "[(nan, 0.4)]",
    "five decimals": "[(0.34112, 0.4)]",
    "other digits": "[(0.\N{ARABIC-INDIC DIGIT THREE}, 0.4)]",
    "trailing text": "[(0.3, 0.4)] is the mug",
    "code": "__import__('os').system('true')",
    "two answers": "<answer>[(0.3, 0.4)]</answer><answer>[(0.5, 0.5)]</answer>",
    "answer cut off": EXAMPLE[:-5],
    "thought cut off": EXAMPLE[:60],
    "thought without answer": EXAMPLE.split("<answer>", maxsplit=1)[0],
    "thought on the same line": EXAMPLE.replace("<think>\n", "<think>"),
    "unknown kind": EXAMPLE.replace("[Size]", "[Weight]"),
    "no colon": EXAMPLE.replace("mug]: 0.090", "mug] 0.090"),
    "numbered step": EXAMPLE.replace("[Size]", "Step3: [Size]"),
    "empty target": EXAMPLE.replace("[mug handle]", "[]"),
    "blank target": EXAMPLE.replace("[mug handle]", "[ ]"),
    "two positions": EXAMPLE.replace("(0.412, 0.633)", "(0.412, 0.633), (0.1, 0.1)"),
    "flat direction": EXAMPLE.replace(", -0.896", ""),
    "long direction": EXAMPLE.replace("-0.896", "-1.896"),
    "negative size": EXAMPLE.replace("0.090", "-0.090"),
    "endless": "[" + "(0.300, 0.400), " * 10_000,
}


@pytest.mark.parametrize("name", WRONG)
def test_deviations_are_refused(name: str) -> None:
    with pytest.raises(RoboReferError) as caught:
        parse(WRONG[name])
    assert caught.value.code is ErrorCode.UNPARSABLE_ANSWER


def test_the_error_says_where_and_why() -> None:
    with pytest.raises(RoboReferError, match=r"at character 7 .*'1\.5\)\].*in \[0, 1\]"):
        parse("[(0.3, 1.5)]")


UNSAYABLE: dict[str, Any] = {
    "bracket": Step("size", "mug]: 1.000", (0.1,)),
    "line break": Step("size", "mug\ncup", (0.1,)),
    "other line break": Step("size", "mug\N{LINE SEPARATOR}cup", (0.1,)),
    "tag": Step("size", "</think>", (0.1,)),
    "empty": Step("size", "", (0.1,)),
    "space at the end": Step("size", "mug ", (0.1,)),
    "long": Step("size", "m" * 201, (0.1,)),
    "NaN": Step("size", "mug", (float("nan"),)),
    "two sizes": Step("size", "mug", (0.1, 0.1)),
    "three coordinates": Step("position", "mug", (0.1, 0.1, 0.1)),
    "off image": Step("position", "mug", (0.1, 1.1)),
    "not a direction": Step("orientation", "mug", (0, 0, 2)),
}


@pytest.mark.parametrize("name", UNSAYABLE)
def test_what_the_grammar_cannot_say_is_not_written(name: str) -> None:
    with pytest.raises(RoboReferError):
        format_answer(Answer(((0.5, 0.5),), (UNSAYABLE[name],)))


def test_points_off_the_image_are_not_written() -> None:
    for point in ((1.1, 0.5), (0.5, -0.1), (float("inf"), 0.5)):
        with pytest.raises(RoboReferError):
            format_answer(Answer((point,)))
