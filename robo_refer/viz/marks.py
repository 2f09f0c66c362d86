"""Marks on an image that stay visible on any background: points, anchors, outlines, labels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.viz.text import Colour, Image, put_text, text_size

WHITE: Colour = (255, 255, 255)
DARK: Colour = (20, 22, 28)
ANSWER: Colour = (255, 40, 120)
ANCHOR: Colour = (20, 150, 255)
TRUTH: Colour = (90, 255, 110)

# cv2 draws at sub-pixels given as integers with this many fractional bits.
_SHIFT = 4


def draw_point(image: Image, xy: tuple[float, float], size: float, label: str = "") -> None:
    """Draw an answer in place: a dot in a ring with four ticks, `size` its radius in pixels.

    The ring is open, so that what is pointed at stays visible.
    """
    thick = max(2, round(size / 4))
    for colour, width in ((DARK, thick + 4), (WHITE, thick + 2), (ANSWER, thick)):
        for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            inner = (xy[0] + dx * size, xy[1] + dy * size)
            outer = (xy[0] + dx * size * 1.55, xy[1] + dy * size * 1.55)
            cv2.line(image, _fixed(inner), _fixed(outer), colour, width, cv2.LINE_AA, _SHIFT)
        _circle(image, xy, size, colour, width)
    for colour, radius in (
        (DARK, thick * 0.6 + 2),
        (WHITE, thick * 0.6 + 1),
        (ANSWER, thick * 0.6),
    ):
        _circle(image, xy, radius, colour, -1)
    if label:
        draw_label(image, label, xy, size * 1.6, ANSWER, offset=size * 2.0)


def draw_anchor(image: Image, xy: tuple[float, float], size: float, label: str) -> None:
    """Draw what an answer was reasoned from, in place: a filled dot with a label beside it."""
    for colour, radius in ((DARK, size + 2), (WHITE, size + 1), (ANCHOR, size - 1)):
        _circle(image, xy, radius, colour, -1)
    draw_label(image, label, xy, size * 2.3, ANCHOR, offset=size * 1.9)


def draw_link(image: Image, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Draw a thin dotted line from an anchor to what was reasoned from it, in place."""
    length = float(np.hypot(end[0] - start[0], end[1] - start[1]))
    for position in np.arange(0.0, length, 9.0):
        share = position / length
        xy = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
        _circle(image, xy, 2.6, DARK, -1)
        _circle(image, xy, 1.7, WHITE, -1)


def draw_outline(image: Image, mask: NDArray[np.bool_], width: int = 2) -> None:
    """Draw the outline of the truth, in place. `mask` is (height, width) of the same image."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for colour, extra in ((DARK, 2), (TRUTH, 0)):
        cv2.drawContours(image, contours, -1, colour, width + extra, cv2.LINE_AA)


def draw_label(
    image: Image, text: str, xy: tuple[float, float], height: float, colour: Colour, offset: float
) -> None:
    """Draw a text on a dark plate beside `xy`, in place, moved so that it stays in the image."""
    height = max(height, 12.0)
    text_width, _ = text_size(text, height)
    pad = height * 0.3
    x = xy[0] + offset
    if x + text_width + 2 * pad > image.shape[1]:
        x = xy[0] - offset - text_width - 2 * pad
    x = min(max(x, 0.0), max(0.0, image.shape[1] - text_width - 2 * pad))
    y = min(max(xy[1] - height / 2, 0.0), max(0.0, image.shape[0] - height))
    draw_plate(image, (x, y), (text_width + 2 * pad, height))
    cv2.rectangle(
        image, (round(x), round(y)), (round(x + max(2, pad / 2)), round(y + height)), colour, -1
    )
    put_text(image, text, (x + pad * 1.2, y), height, WHITE)


def draw_plate(image: Image, corner: tuple[float, float], size: tuple[float, float]) -> None:
    """Darken a rectangle in place, so that text on it can be read; parts outside are ignored."""
    x0, y0 = (max(0, round(value)) for value in corner)
    x1, y1 = round(corner[0] + size[0]), round(corner[1] + size[1])
    part = image[y0 : max(y0, y1), x0 : max(x0, x1)]
    part[:] = (part * 0.25 + np.array(DARK) * 0.75).astype(np.uint8)


def _circle(
    image: Image, xy: tuple[float, float], radius: float, colour: Colour, width: int
) -> None:
    fixed_radius = max(1, round(radius * 2**_SHIFT))
    cv2.circle(image, _fixed(xy), fixed_radius, colour, width, cv2.LINE_AA, _SHIFT)


def _fixed(xy: tuple[float, float]) -> tuple[int, int]:
    return round(xy[0] * 2**_SHIFT), round(xy[1] * 2**_SHIFT)
