"""Items that are answered by an option: what the suites of multiple choice have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from robo_refer.types import Frame
from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import ChoiceTruth, Item
from robo_refer_bench.suites.parquet import cell, picture_bytes

ASK_FOR_LETTER = "Answer with the letter of the right option."


def choice_item(
    name: str,
    prompt: str,
    truth: ChoiceTruth,
    load_frame: Callable[[], Frame],
    tags: Mapping[str, str],
    picture: str,
) -> Item:
    """Return an item that is answered by the letter of an option."""
    return Item(
        id=name,
        prompt=prompt,
        truth=truth,
        load_frame=load_frame,
        suffix=ASK_FOR_LETTER,
        tags=tags,
        picture=picture,
    )


def with_options(question: str, options: Sequence[str]) -> str:
    """Return a question with its options below, one to a line: "A. ..."."""
    lines = [f"{letter(number)}. {option}" for number, option in enumerate(options)]
    return "\n".join([question, *lines])


def letter(number: int) -> str:
    """Return the letter of an option, 0-based."""
    return chr(ord("A") + number)


def truth_by_letter(answer: str, options: Sequence[str], where: str) -> ChoiceTruth:
    """Return the truth that a letter names: "(B)", "B."; raises BAD_SAMPLE."""
    bare = answer.strip().strip("().").upper()
    if len(bare) != 1 or not 0 <= ord(bare) - ord("A") < len(options):
        raise reading.bad_item(where, f"its answer {answer!r} is none of {len(options)} options")
    return ChoiceTruth(tuple(map(str, options)), ord(bare) - ord("A"))


def truth_by_number(number: int, options: Sequence[str], where: str) -> ChoiceTruth:
    """Return the truth that a 0-based number names; raises BAD_SAMPLE."""
    if not 0 <= number < len(options):
        raise reading.bad_item(where, f"its answer {number} is none of {len(options)} options")
    return ChoiceTruth(tuple(map(str, options)), number)


def frame_in(path: Path, row: int, column: str) -> Callable[[], Frame]:
    """Return what reads the picture of one cell of a Parquet file as a frame."""
    return partial(_frame, path, row, column)


def frame_of_all(path: Path, row: int, column: str) -> Callable[[], Frame]:
    """Return what reads the list of pictures in one cell, side by side in one frame."""
    return partial(_joined, path, row, column)


def _frame(path: Path, row: int, column: str) -> Frame:
    where = f"Row {row} of {path}"
    return Frame(reading.decode_rgb(picture_bytes(path, row, column), where))


def _joined(path: Path, row: int, column: str) -> Frame:
    where = f"Row {row} of {path}"
    found = []
    for value in cell(path, row, column) or ():
        data = value.get("bytes") if isinstance(value, Mapping) else value
        if not isinstance(data, bytes):
            raise reading.bad_item(where, f"its {column!r} holds no picture")
        found.append(reading.decode_rgb(data, where))
    if not found:
        raise reading.bad_item(where, f"its {column!r} holds no picture")
    height = max(picture.shape[0] for picture in found)
    padded = [np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0))) for p in found]
    return Frame(np.concatenate(padded, axis=1))
