"""Readers for the answer formats of other model families: lenient, explicit, one per family.

Each takes the answer and the size in pixels of the image that the model was shown (after the
model's own resizing), and returns normalised points: pixel centres at integers, so that pixel
(u, v) becomes ((u + 0.5) / width, (v + 0.5) / height). A box counts as its centre. Points beside
the image are kept: they are misses, not unreadable.

Only the final answer is read: the last `<answer>` block, or what follows the last `</think>`.
Points mentioned while thinking are not answers. An empty list is an answer: nothing is there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import islice

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing.grammar import MAX_ANSWER_CHARACTERS, parse
from robo_refer.types import Answer

Point = tuple[float, float]
Numbers = tuple[str, ...]
"""A pair (2) or a box (4), as written."""
Reader = Callable[[str, int, int], Answer]
"""(answer text, image width, image height) -> Answer; raises UNPARSABLE_ANSWER."""

MAX_POINTS = 1000
"""An answer with more is a carpet, not a point."""

# Repetitions are bounded: no text can make these patterns slow.
_NUMBER = r"[-+]?(?:[0-9]{1,9}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})"
_GAP = r"\s{0,20}"
_COMMA = rf"{_GAP},{_GAP}"
_PAIR = rf"({_NUMBER}){_COMMA}({_NUMBER})(?:{_COMMA}({_NUMBER}){_COMMA}({_NUMBER}))?"
_TUPLES = re.compile(rf"[(\[]{_GAP}{_PAIR}{_GAP}[)\]]")
_BARE_PAIR = re.compile(rf"{_GAP}{_PAIR}{_GAP}")
_EMPTY_LIST = re.compile(r"\[\s{0,100}\]")
_MOLMO_TAG = re.compile(r"<points?\s([^<>]{1,20000})>")
_MOLMO_COORDINATE = re.compile(rf"""(?<!\w)([xy])([0-9]{{0,4}})\s?=\s?["']{_GAP}({_NUMBER})""")
_MOLMO_COORDS = re.compile(r"""(?<!\w)coords\s?=\s?["']([0-9\s]{1,20000})""")
_MOLMO_PERCENT = re.compile(r"\(\s?([0-9]{1,3}\.[0-9]{1,2}),?\s?([0-9]{1,3}\.[0-9]{1,2})\s?\)")
_MOLMO_THOUSANDTHS = re.compile(r"(?<!\w)(?:[0-9]{1,4}|p)\s?=\s?([0-9]{3}),\s?([0-9]{3})(?![0-9])")
_MOLMO_NONE = re.compile(r"\bthere are none\b", re.IGNORECASE)


def roborefer_tuples(text: str, width: int, height: int) -> Answer:
    """Read `[(0.341, 0.610)]` (RoboRefer, RoboPoint, and models prompted likewise).

    Two whole numbers above 1 are pixels, as these families' own evaluation reads them; all other
    pairs are normalised.
    """

    def normalise(numbers: Numbers) -> Point:
        x, y = _centre(numbers)
        if "." in "".join(numbers) or max(map(float, numbers)) <= 1:
            return x, y
        return _from_pixels((x, y), width, height)

    return _answer(text, (normalise(numbers) for numbers in _tuples(_final(text))))


def robobrain_pixels(text: str, width: int, height: int) -> Answer:
    """Read `[(412, 240)]` in pixels (RoboBrain 2.0); `[577, 224, 638, 310]` is a box."""
    points = (_from_pixels(_centre(numbers), width, height) for numbers in _tuples(_final(text)))
    return _answer(text, points)


def norm1000_xy(text: str, width: int, height: int) -> Answer:
    """Read `[(644, 502)]`, thousandths as (x, y) (RoboBrain 2.5)."""
    return _answer(text, (_scaled(_centre(numbers), 1000) for numbers in _tuples(_final(text))))


def molmo_points(text: str, width: int, height: int) -> Answer:
    """Read points as Molmo and Molmo 2 write them.

    `<point x="64.4" y="50.2" ...>` and `<points x1=... y1=... x2=...>` are percent. Molmo 2 writes
    `<points coords="1 1 644 502 2 100 200">`: the image's number, then for every point its number
    and thousandths. Without a tag, its older text forms count: `Click(64.4, 50.2)` and
    `(64.4, 50.2)` in percent, `p=644,502` in thousandths. "There are none." is an empty answer.
    """
    final = _final(text)
    tags = [tag.group(1) for tag in _MOLMO_TAG.finditer(final)]
    points = [point for tag in tags for point in _molmo_tag(tag)]
    if not tags:
        points += (_scaled(_centre(pair.groups()), 100) for pair in _MOLMO_PERCENT.finditer(final))
        points += (
            _scaled(_centre(pair.groups()), 1000) for pair in _MOLMO_THOUSANDTHS.finditer(final)
        )
    if not points and _MOLMO_NONE.search(final):
        return Answer(())
    return _answer(text, points)


def gemini_json(text: str, width: int, height: int) -> Answer:
    """Read `[{"point": [502, 644], "label": ...}]`: thousandths as [y, x] (Gemini)."""
    centres = (_centre(numbers) for numbers in _keyed(_final(text), "point"))
    return _answer(text, (_scaled((x, y), 1000) for y, x in centres))


def qwen25_pixels(text: str, width: int, height: int) -> Answer:
    """Read `[{"point_2d": [412, 240]}]` or `(412, 240)` in pixels (Qwen2-VL, Qwen2.5-VL)."""
    final = _final(text)
    found = _keyed(final, "point_2d", "bbox_2d") or _tuples(final)
    return _answer(text, (_from_pixels(_centre(numbers), width, height) for numbers in found))


def qwen3_norm1000(text: str, width: int, height: int) -> Answer:
    """Read `[{"point_2d": [644, 502]}]`: thousandths as [x, y] (Qwen3-VL)."""
    found = _keyed(_final(text), "point_2d", "bbox_2d")
    return _answer(text, (_scaled(_centre(numbers), 1000) for numbers in found))


def robo_refer(text: str, width: int, height: int) -> Answer:
    """Read this project's own grammar, strictly."""
    return parse(text)


READERS: dict[str, Reader] = {
    reader.__name__: reader
    for reader in (
        robo_refer,
        roborefer_tuples,
        robobrain_pixels,
        norm1000_xy,
        molmo_points,
        gemini_json,
        qwen25_pixels,
        qwen3_norm1000,
    )
}


def _final(text: str) -> str:
    """Return the part of the text that is the final answer; "" when it was never reached."""
    if len(text) > MAX_ANSWER_CHARACTERS:
        raise _unreadable(f"it is longer than {MAX_ANSWER_CHARACTERS} characters")
    start = text.rfind("<answer>")
    if start >= 0:
        start += len("<answer>")
        end = text.find("</answer>", start)
        return text[start:] if end < 0 else text[start:end]
    _, closed, after = text.rpartition("</think>")
    if closed:
        return after
    return text.partition("<think>")[0]  # cut off while thinking: no answer after it


def _tuples(text: str) -> list[Numbers]:
    """Return pairs and boxes in round or square brackets, or the text if it is a bare pair."""
    matches = list(_TUPLES.finditer(text))
    if not matches and (bare := _BARE_PAIR.fullmatch(text)):
        matches = [bare]
    return [_numbers(match) for match in matches]


def _keyed(text: str, *keys: str) -> list[Numbers]:
    """Return pairs and boxes that stand as values of JSON keys, fenced or not.

    Read by pattern, so that a list cut off by a token limit still gives its whole entries.
    """
    names = "|".join(keys)
    pattern = rf"""["'](?:{names})["']{_GAP}:{_GAP}\[{_GAP}{_PAIR}{_GAP}\]"""
    return [_numbers(match) for match in re.finditer(pattern, text)]


def _molmo_tag(attributes: str) -> list[Point]:
    """Return the points of one tag, in the order of their numbers."""
    if coords := _MOLMO_COORDS.search(attributes):
        _image, *rest = coords.group(1).split() or [""]
        return [
            _scaled((float(x), float(y)), 1000)
            for x, y in zip(rest[1::3], rest[2::3], strict=False)
        ]
    named: dict[int, dict[str, float]] = {}
    for axis, index, value in _MOLMO_COORDINATE.findall(attributes):
        named.setdefault(int(index or 0), {})[axis] = float(value)
    whole = (pair for _, pair in sorted(named.items()) if len(pair) == 2)
    return [_scaled((pair["x"], pair["y"]), 100) for pair in whole]


def _numbers(match: re.Match[str]) -> Numbers:
    return tuple(number for number in match.groups() if number is not None)


def _centre(numbers: Numbers) -> Point:
    """Return a pair as it is, and the centre of a box (x1, y1, x2, y2)."""
    xs, ys = [float(x) for x in numbers[::2]], [float(y) for y in numbers[1::2]]
    return sum(xs) / len(xs), sum(ys) / len(ys)


def _scaled(point: Point, full: float) -> Point:
    return point[0] / full, point[1] / full


def _from_pixels(pixel: Point, width: int, height: int) -> Point:
    return (pixel[0] + 0.5) / width, (pixel[1] + 0.5) / height


def _answer(text: str, points: Iterable[Point]) -> Answer:
    found = tuple(islice(points, MAX_POINTS + 1))
    if len(found) > MAX_POINTS:
        raise _unreadable(f"it has more than {MAX_POINTS} points")
    if not found and not _EMPTY_LIST.search(_final(text)):
        raise _unreadable("no point of this format stands in it")
    return Answer(found)


def _unreadable(reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.UNPARSABLE_ANSWER,
        f"The answer cannot be read: {reason}.",
        "Choose the reader of the model's own format, or raise its limit of output tokens.",
    )
