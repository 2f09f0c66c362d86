"""Numbers are single words; instructions cannot spell control tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer import tokens
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer, parse
from robo_refer.types import Answer, Step

UNIT = st.floats(0, 1, allow_nan=False)


@given(UNIT)
def test_quantised_numbers_are_tokens_and_near(value: float) -> None:
    bin_value = tokens.quantise(value)
    assert f"{bin_value:.3f}" in tokens.FIRST_TOKENS
    assert abs(bin_value - value) <= 0.002 + 1e-9
    assert tokens.quantise(bin_value) == bin_value


@given(UNIT, UNIT, st.floats(-1, 1, allow_nan=False))
def test_quantised_answers_are_written_without_loss(x: float, y: float, z: float) -> None:
    steps = (Step("position", "red mug", (x, y)), Step("orientation", "handle", (x, y, z)))
    answer = tokens.quantise_answer(Answer(((x, y),), steps))
    assert parse(format_answer(answer)) == answer


def test_every_token_is_distinct() -> None:
    every = tokens.all_added_tokens()
    assert len(every) == len(set(every))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("The RED mug.", "the red mug"),
        ("  where  is\tthe mug? ", "where is the mug"),
        ("<think>\n[Position] [mug]", "think position mug"),
        ("ＦＵＬＬ width", "full width"),
    ],
)
def test_instructions_are_normalised(text: str, plain: str) -> None:
    assert tokens.normalise_instruction(text) == plain


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_no_instruction_can_spell_a_control_token(text: str) -> None:
    written = "the " + text  # never empty, so that every text is an instruction
    plain = tokens.normalise_instruction(written)
    assert not any(name in plain for name in (*tokens.CONTROL_TOKENS, "[Position] [", "[("))


@pytest.mark.parametrize("text", ["", "   ", "...", "[]()", "word " * 10_000, "caf\udce9"])
def test_bad_instructions_are_refused(text: str) -> None:
    with pytest.raises(RoboReferError) as caught:
        tokens.normalise_instruction(text)
    assert caught.value.code is ErrorCode.BAD_INSTRUCTION


def test_the_format_request_of_roborefers_clients_is_not_read() -> None:
    asked = "the red mug. Your answer should be formatted as a list of tuples, i.e. [(x1, y1)]."
    assert tokens.normalise_instruction(asked) == "the red mug"
