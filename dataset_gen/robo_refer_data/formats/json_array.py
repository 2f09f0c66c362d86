"""JSON arrays item by item: the released files are gigabytes, their items kilobytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from robo_refer.errors import ErrorCode, RoboReferError

_CHUNK = 1 << 20
_MAX_ITEM = 64 << 20  # characters; beyond this the text is damaged, not long
_GAP = re.compile(r"[\s,]*")


def read_array(path: Path) -> Iterator[Any]:
    """Yield the items of the JSON array in `path`, with a few of them in memory at a time.

    Raises:
        RoboReferError: BAD_FILE for a file that is missing, is no JSON array, or breaks off; the
            items before the damage have been yielded by then.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _items(file, path)
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(path, "cannot be read") from error


def _items(file: TextIO, path: Path) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    text = file.read(_CHUNK).lstrip()
    if not text.startswith("["):
        raise _bad(path, "is no JSON array")
    position = 1
    while True:
        position = _end_of_gap(text, position)
        if text.startswith("]", position):
            return
        try:
            item, end = decoder.raw_decode(text, position)
        except json.JSONDecodeError:
            end = len(text)
        # What ends where the text ends may go on in the next chunk.
        if end < len(text):
            yield item
            position = end
            continue
        # Reading as much again each time keeps the work linear in the length of the item.
        text = text[position:]
        more = file.read(max(_CHUNK, len(text)))
        if not more or len(text) > _MAX_ITEM:
            raise _bad(path, "is damaged or breaks off")
        text, position = text + more, 0


def _end_of_gap(text: str, position: int) -> int:
    gap = _GAP.match(text, position)
    assert gap is not None  # it matches the empty text
    return gap.end()


@contextmanager
def write_array(path: Path) -> Iterator[Callable[[Any], None]]:
    """Give a function that adds a JSON-ready item to an array, one item a line.

    The file appears whole or not at all: it grows beside `path` and takes its name at the end.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    separator = "["

    def add(item: Any) -> None:
        nonlocal separator
        file.write(f"{separator}\n{json.dumps(item, ensure_ascii=False)}")
        separator = ","

    try:
        with temporary.open("w", encoding="utf-8") as file:
            yield add
            file.write("[]\n" if separator == "[" else "\n]\n")
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _bad(path: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {reason}.",
        "Give the file as it was released; fetch it again if its download broke off.",
    )
