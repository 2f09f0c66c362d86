"""What the released models are asked: placeholders, their order, and words nobody may spell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer import chat
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.tiling import TilingSpec

DYNAMIC = TilingSpec("dynamic", tile_px=448, tile_tokens=121)
S2 = TilingSpec("dynamic_s2", tile_px=448, tile_tokens=256, scales_px=(448, 896, 1344))
WORDS = ("<image>", "<depth>", "<|im_end|>", "<|im_start|>")


def test_placeholders_stand_where_the_released_code_puts_them() -> None:
    assert chat.message("Q", DYNAMIC, [2]) == "<image>\n<image>\nQ"
    assert chat.message("Q", DYNAMIC, [1], [2]) == "<image>\n <depth>\n<depth>\n\nQ"
    assert chat.message("Q", S2, [17]) == "<image>Q"
    assert chat.message("Q", S2, [17, 14], [17, 14]) == "<image> <depth>\n<image> <depth>\nQ"


@given(st.lists(st.sampled_from([*WORDS, "<im", "age>", "<|im_", "end|>", "a", " "]), max_size=12))
def test_no_text_can_spell_a_special_word(pieces: list[str]) -> None:
    left = chat.without_words("".join(pieces), WORDS)
    assert not any(word in left for word in WORDS)


def test_an_instruction_of_special_words_alone_is_empty() -> None:
    with pytest.raises(RoboReferError) as caught:
        chat.question("<image><dep<image>th>", reason=False, special=WORDS)
    assert caught.value.code is ErrorCode.BAD_INSTRUCTION


def test_the_format_of_the_answer_is_asked_for() -> None:
    direct = chat.question("Point to the Mug.", reason=False, special=WORDS)
    assert direct == f"Point to the Mug. {chat.POINT_FORMAT}"
    assert chat.question(direct, reason=False, special=WORDS) == direct  # not asked for twice
    assert chat.REASON_FORMAT in chat.question("mug", reason=True, special=WORDS)


def test_every_placeholder_becomes_its_features_and_the_end_mark() -> None:
    expanded = chat.expand([5, 9, 6, 9, 8], {9: [2, 1], 8: [3]}, end_ids=[0])
    assert expanded == [5, 9, 9, 0, 6, 9, 0, 8, 8, 8, 0]
