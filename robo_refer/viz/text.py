"""Text on pictures: sized in pixels, wrapped, and safe for fonts that know only ASCII."""

from __future__ import annotations

import unicodedata

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Image = NDArray[np.uint8]

# OpenCV 5 draws Unicode; before it, putText knew ASCII only and printed "??" for the rest.
_HAS_UNICODE = hasattr(cv2, "FontFace")
_ASCII = str.maketrans(
    {"·": "-", "–": "-", "—": "-", "±": "+/-", "×": "x", "“": '"', "”": '"', "‘": "'", "’": "'"}
)
_PIXELS_PER_SCALE = 36.0  # line height of putText at scale 1


def drawable(text: str, unicode_font: bool = _HAS_UNICODE) -> str:
    """Return the text with what the font cannot draw replaced: accents dropped, others "?"."""
    plain = " ".join(text.split())
    if unicode_font:
        return "".join(char if char.isprintable() else "?" for char in plain)
    decomposed = unicodedata.normalize("NFKD", plain.translate(_ASCII))
    base = "".join(char for char in decomposed if not unicodedata.combining(char))
    return base.encode("ascii", "replace").decode()


def text_size(text: str, height: float, bold: bool = False) -> tuple[int, int]:
    """Return the (width, line height) of a text in pixels; `height` is the line height."""
    (width, _), _ = cv2.getTextSize(drawable(text), _font(bold), height / _PIXELS_PER_SCALE, 1)
    return int(width), round(height)


def put_text(
    image: Image, text: str, corner: tuple[float, float], height: float, colour: Colour,
    bold: bool = False,
) -> None:  # fmt: skip
    """Draw one line with its upper left corner at `corner` (x, y), in place."""
    baseline = round(corner[0]), round(corner[1] + 0.74 * height)
    scale = height / _PIXELS_PER_SCALE
    cv2.putText(image, drawable(text), baseline, _font(bold), scale, colour, 1, cv2.LINE_AA)


def wrap(text: str, height: float, width: int, bold: bool = False, lines: int = 2) -> list[str]:
    """Return the text broken into at most `lines` lines of `width` pixels; the rest is cut."""
    wrapped = [""]
    for word in text.split():
        longer = f"{wrapped[-1]} {word}".strip()
        if text_size(longer, height, bold)[0] <= width or not wrapped[-1]:
            wrapped[-1] = longer
        else:
            wrapped.append(word)
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], " ".join(wrapped[lines - 1 :])]
    return [_cut(line, height, width, bold) for line in wrapped]


def _cut(line: str, height: float, width: int, bold: bool) -> str:
    if text_size(line, height, bold)[0] <= width:
        return line
    while line and text_size(line + " ...", height, bold)[0] > width:
        line = line[:-1]
    return line.rstrip() + " ..."


def _font(bold: bool) -> int:
    return cv2.FONT_HERSHEY_DUPLEX if bold else cv2.FONT_HERSHEY_SIMPLEX
