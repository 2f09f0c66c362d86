"""What the released 2B and 8B are asked: the words and placeholders of one chat message.

The order is RoboRefer's: for every image its RGB features, then its depth features; the text comes
last. A placeholder stands for a tile (`dynamic`) or for a whole image (`dynamic_s2`) and becomes
its features and one newline, the end mark that the model was trained with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from robo_refer.tiling import TilingSpec
from robo_refer.tokens import DEPTH, IMAGE, check_instruction

POINT_FORMAT = (
    "Your answer should be formatted as a list of tuples, i.e. [(x1, y1)], where each tuple "
    "contains the x and y coordinates of a point satisfying the conditions above. The coordinates "
    "should be between 0 and 1, indicating the normalized pixel locations of the points in the "
    "image."
)
"""What RoboRefer's own client puts behind every instruction; the released models know no other."""

_FORMAT_START = "Your answer should be formatted as"
"""RoboRefer's clients may have put it there themselves, in this or a similar wording."""

REASON_FORMAT = (
    "Write your reasoning between <think> and </think>, one line for each step, then the points "
    "between <answer> and </answer>."
)
"""What is asked besides where written reasoning is wanted; the released SFT models ignore it."""


def question(instruction: str, *, reason: bool, special: Iterable[str]) -> str:
    """Return an instruction with the format that its answer should have.

    Args:
        instruction: any text.
        reason: ask for written reasoning.
        special: words of the tokenizer that an instruction must not be able to spell.

    Raises:
        RoboReferError: BAD_INSTRUCTION when it is empty, too long, or not valid Unicode.
    """
    asked = check_instruction(without_words(instruction, special))
    forms = [] if _FORMAT_START in asked else [POINT_FORMAT]
    return " ".join([asked, *forms, *([REASON_FORMAT] if reason else [])])


def without_words(text: str, words: Iterable[str]) -> str:
    """Return the text without any of the words, however they are nested, and trimmed."""
    words = [word for word in words if word.strip()]
    before = None
    while before != text:
        before = text
        for word in words:
            text = text.replace(word, "")
    return text.strip()


def message(
    text: str, spec: TilingSpec, image_tiles: Sequence[int], depth_tiles: Sequence[int] = ()
) -> str:
    """Return the user's message: placeholders for images (and their depth), then the text.

    Args:
        text: what is asked.
        spec: the checkpoint's tiling.
        image_tiles: number of tiles of every image.
        depth_tiles: number of tiles of every image's depth, or none for RGB alone.
    """

    def placeholders(word: str, tiles: int) -> str:
        return f"{word}\n" * tiles if spec.tiling == "dynamic" else word

    images = [placeholders(IMAGE, tiles) for tiles in image_tiles]
    if depth_tiles:
        depths = [placeholders(DEPTH, tiles) for tiles in depth_tiles]
        images = [f"{rgb} {depth}\n" for rgb, depth in zip(images, depths, strict=True)]
    return "".join([*images, text]).strip()


def expand(
    token_ids: Sequence[int], lengths: Mapping[int, Sequence[int]], end_ids: Sequence[int]
) -> list[int]:
    """Return the ids with every placeholder repeated once for each of its features.

    Args:
        token_ids: the tokenised chat, one id a placeholder.
        lengths: placeholder id -> number of features of each of its occurrences, in order.
        end_ids: what follows every placeholder's features.
    """
    remaining = {token: iter(counts) for token, counts in lengths.items()}
    expanded: list[int] = []
    for token in token_ids:
        if token in remaining:
            expanded += [token] * next(remaining[token]) + list(end_ids)
        else:
            expanded.append(token)
    return expanded
