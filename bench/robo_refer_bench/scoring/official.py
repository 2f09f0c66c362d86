"""The official mode: the arithmetic of RoboRefer's released `summarize_acc.py`, quirks included.

Every parenthesis with two or four numbers anywhere in the reply counts, reasoning too; the score of
an item is the share of its points inside the mask; what raises an error while it is read leaves the
denominator. Numbers that are too large for the script's arrays end the script itself: here they are
a miss with the reason "script_stops", and the score says that the script would have given none.
`docs/bench.md` lists where the two modes differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import family
from robo_refer_bench.families import RELEASED, Form
from robo_refer_bench.records import Record
from robo_refer_bench.scoring.verdict import Verdict
from robo_refer_bench.suites.base import Item, MaskTruth
from robo_refer_bench.suites.bitmask import BitMask

SCRIPT_STOPS = "script_stops"
SKIPPED = "skipped_by_script"
NO_TEXT = "no_text"
"""Status of a record whose text is not text: the script fails to parse it, and leaves it out."""

# A box of more pixels than this is 8 GB of doubles: the script runs out of memory, which it
# catches like any failure to parse.
_MAX_BOX_PIXELS = 1_000_000_000

# The script's patterns, written so that no text makes them slow: "12." and "12.5", not ".5".
_NUMBER = r"\d+(?:\.\d*)?"
_SIGNED = rf"[-+]?{_NUMBER}"
_BRACKETS = re.compile(rf"\(({_SIGNED}(?:,\s*{_SIGNED})*)\)")
_NUMBERED_POINT = re.compile(rf'x\d+="(-?{_NUMBER})"\s+y\d+="(-?{_NUMBER})"')
_FENCE = re.compile(r"```\w*\n(.*?)```", re.DOTALL)

Pixel = tuple[Any, Any]
Box = tuple[int, int, int, int]
Found = tuple[list[Pixel], list[Box]]
"""Pixels (x, y), and boxes (left, top, right, bottom) of which every pixel counts."""


def official(record: Record, item: Item) -> Verdict:
    """Return what the released script makes of one line of its answer file.

    Args:
        record: the answer.
        item: what was asked, with a mask.

    Raises:
        RoboReferError: BAD_REQUEST when the script knows no such family or the item has no mask;
            BAD_FILE or BAD_IMAGE when the mask cannot be read.
    """
    if not isinstance(item.truth, MaskTruth):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The released script scores masks only, and {record.suite} has none.",
            "Use --mode strict.",
        )
    family(record.family)  # says so if there is none of that name
    if record.family not in RELEASED:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The released script does not know the family {record.family!r}.",
            "Use --mode strict, or name with --family one that it knows.",
        )
    mask = item.truth.load()
    if record.status == NO_TEXT:
        return Verdict(0.0, SKIPPED, counted=False)
    height, width = mask.shape
    try:
        pixels, boxes = _READERS[RELEASED[record.family].form](record.raw_answer, width, height)
        points = _array(pixels, boxes)
    # What these texts can raise in the script's `try`, which passes over any exception.
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError, RecursionError):
        return Verdict(0.0, SKIPPED, counted=False)
    if points is None:
        return Verdict(0.0, SCRIPT_STOPS)
    return _share(points, boxes, mask)


def _array(pixels: list[Pixel], boxes: list[Box]) -> Any:
    """Return the (n, 2) pixels, or None where the script's array could not index a mask.

    A box stands for its pixels with one row of integers: the type of the array follows from the
    kinds of numbers in it.
    """
    corners = [np.array([left, top]) for left, top, _, _ in boxes]
    if not pixels and not corners:
        return np.empty((0, 2), np.int64)
    kind = np.array([*pixels, *corners]).dtype.kind
    if kind not in "iu":
        return None
    return np.array(pixels) if pixels else np.empty((0, 2), np.int64)


def _share(points: Any, boxes: list[Box], mask: BitMask) -> Verdict:
    height, width = mask.shape
    hits = 0
    if len(points):
        u, v = points[:, 0], points[:, 1]
        on_image = (u >= 0) & (u < width) & (v >= 0) & (v < height)
        hits = int(mask[v[on_image].astype(np.int64), u[on_image].astype(np.int64)].sum())
    count = len(points)
    for left, top, right, bottom in boxes:
        count += (right - left) * (bottom - top)
        seen = mask.array()[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
        hits += int(seen.sum())
    if not count:
        return Verdict(0.0, "no_point")
    score = hits / count
    return Verdict(score, "" if score == 1 else "outside")


def _tuples(text: str, width: int, height: int) -> Found:
    return _bracketed(text, width, height, in_pixels=False)


def _pixel_tuples(text: str, width: int, height: int) -> Found:
    return _bracketed(text, width, height, in_pixels=True)


def _bracketed(text: str, width: int, height: int, *, in_pixels: bool) -> Found:
    """Read pairs and boxes: a pair with a decimal point in either number is normalised."""
    pixels: list[Pixel] = []
    boxes: list[Box] = []
    for inner in _BRACKETS.findall(text):
        values: list[Any] = [
            float(number) if "." in number else int(number) for number in inner.split(",")
        ]
        if len(values) == 2:
            x, y = values
            if not in_pixels and "." in inner:
                x, y = int(x * width), int(y * height)
            pixels.append((x, y))
        elif len(values) == 4:
            if not in_pixels:  # whole numbers too: (10, 20, 30, 40) is far off the image
                scales = (width, height, width, height)
                values = [int(value * scale) for value, scale in zip(values, scales, strict=True)]
            _add_box(values, boxes)
    return pixels, boxes


def _add_box(values: list[Any], boxes: list[Box]) -> None:
    left, top, right, bottom = values
    if any(isinstance(value, float) for value in values):
        raise TypeError("an array has no fractional size")
    if right < left or bottom < top:
        raise ValueError("an array has no negative size")
    if (right - left) * (bottom - top) > _MAX_BOX_PIXELS:
        raise MemoryError
    if right > left and bottom > top:
        boxes.append((left, top, right, bottom))


def _xml(text: str, width: int, height: int) -> Found:
    """Read x1="..." y1="..." in percent; the lone <point x="..." y="..."> has no number."""
    return [
        (int(float(x) / 100 * width), int(float(y) / 100 * height))
        for x, y in _NUMBERED_POINT.findall(text)
    ], []


def _json(text: str, width: int, height: int) -> Found:
    """Read {"point": [y, x]} in thousandths, in the first fenced block only."""
    fence = _FENCE.search(text)
    if fence is None:
        return [], []
    try:
        entries = json.loads(fence[1].strip())
    except json.JSONDecodeError:
        return [], []
    pixels: list[Pixel] = []
    for entry in entries:
        if "point" in entry and isinstance(place := entry["point"], list) and len(place) == 2:
            y, x = place
            pixels.append((int(x / 1000 * width), int(y / 1000 * height)))
    return pixels, []


_READERS: dict[Form, Callable[[str, int, int], Found]] = {
    "tuples": _tuples,
    "pixel_tuples": _pixel_tuples,
    "xml": _xml,
    "json": _json,
}
