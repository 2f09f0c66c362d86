"""The demo's picture: what the camera sees on the left, one panel per question beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import Frame, Referral
from robo_refer.viz.depth import depth_picture
from robo_refer.viz.draw import BAD, GOOD, MUTED, PAPER, Line, caption_strip, mark, panel_size
from robo_refer.viz.text import Image, put_text

COLUMNS = 3
GAP = 14
_PANEL_WIDTHS = (560, 560)
_TEXT = 26.0
_LEGEND = "ring: answer · blue dots: reasoning · green outline: truth"


@dataclass(frozen=True)
class Panel:
    """One question: what was answered, what is true ((height, width) or None), and if it fits."""

    referral: Referral
    truth: NDArray[np.bool_] | None
    is_hit: bool


def sheet(frame: Frame, panels: Sequence[Panel], title: str) -> Image:
    """Return (height, width, 3) RGB: image over depth, then the panels in rows of three."""
    size = panel_size(frame, _PANEL_WIDTHS)
    scene = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
    cells = [_cell(scene, [Line("colour", bold=True), Line("what the camera sees", MUTED)])]
    if frame.depth_m is not None:
        depth = depth_picture(frame.depth_m, size)
        cells.append(
            _cell(depth, [Line("depth", bold=True), Line("what the sensor measures", MUTED)])
        )
    left = _stack(cells)
    drawn = [_question_cell(frame, panel, number, size) for number, panel in enumerate(panels, 1)]
    rows = [_row(drawn[start : start + COLUMNS]) for start in range(0, len(drawn), COLUMNS)]
    body = _row([left, _stack(rows)]) if rows else left
    return _framed(body, title)


def _question_cell(frame: Frame, panel: Panel, number: int, size: tuple[int, int]) -> Image:
    picture = mark(frame, [panel.referral], [panel.truth], size)
    lines = [
        Line(f"{number}. {panel.referral.instruction}", bold=True),
        Line(_result(panel), GOOD if panel.is_hit else BAD),
    ]
    return _cell(picture, lines)


def _result(panel: Panel) -> str:
    points = panel.referral.points
    if not points and panel.referral.status != "no_target":
        return "no answer that can be read"
    if panel.truth is None:
        said = "says it is not there" if not points else "points at something"
        return f"{said} · {'right' if panel.is_hit else 'wrong: it is not there'}"
    if not points:
        return "says it is not there · wrong"
    verdict = "hit" if panel.is_hit else "miss"
    if points[0].p_cam_m is None:
        return f"no depth there · {verdict}"
    return f"{float(np.linalg.norm(points[0].p_cam_m)):.2f} m away · {verdict}"


def _cell(picture: Image, lines: Sequence[Line]) -> Image:
    """Return a picture over its caption; all captions are as high as three lines of text."""
    strip = caption_strip(picture.shape[1], lines, _TEXT)
    height = round(3 * 1.3 * _TEXT + 0.9 * _TEXT)
    return np.vstack([picture, _padded(strip[:height], height, picture.shape[1])])


def _row(cells: Sequence[Image]) -> Image:
    height = max(cell.shape[0] for cell in cells)
    gap = np.full((height, GAP, 3), PAPER, np.uint8)
    parts: list[Image] = []
    for cell in cells:
        parts += [_padded(cell, height, cell.shape[1]), gap]
    return np.hstack(parts[:-1])


def _stack(cells: Sequence[Image]) -> Image:
    width = max(cell.shape[1] for cell in cells)
    return np.vstack([_padded(cell, cell.shape[0], width) for cell in cells])


def _padded(image: Image, height: int, width: int) -> Image:
    canvas = np.full((height, width, 3), PAPER, np.uint8)
    canvas[: image.shape[0], : image.shape[1]] = image
    return canvas


def _framed(body: Image, title: str) -> Image:
    head = round(_TEXT * 2.2)
    height, width = body.shape[:2]
    canvas = np.full((height + head + GAP, width + 2 * GAP, 3), PAPER, np.uint8)
    canvas[head : head + height, GAP : GAP + width] = body
    put_text(canvas, title, (GAP, 0.4 * _TEXT), _TEXT * 1.2, (20, 22, 28), bold=True)
    put_text(canvas, _LEGEND, (GAP + width * 0.62, 0.5 * _TEXT), _TEXT, MUTED)
    return canvas
