"""An answer as a picture: image with marks, depth beside it, instruction and result under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.metrics import is_hit
from robo_refer.types import Frame, Referral
from robo_refer.viz.depth import depth_picture
from robo_refer.viz.marks import (
    DARK,
    WHITE,
    draw_anchor,
    draw_link,
    draw_outline,
    draw_point,
)
from robo_refer.viz.text import Colour, Image, put_text, wrap

# Small images are enlarged so that text fits beside what it is about; large ones fit a screen.
PANEL_WIDTHS = (640, 960)
_PANEL_HEIGHT = 1920
GOOD: Colour = (20, 130, 60)
BAD: Colour = (200, 40, 40)
MUTED: Colour = (95, 100, 110)
PAPER: Colour = (250, 250, 248)


@dataclass(frozen=True)
class Line:
    """One line of a caption."""

    text: str
    colour: Colour = DARK
    bold: bool = False


def annotate(
    frame: Frame,
    referrals: Sequence[Referral],
    masks: Sequence[NDArray[np.bool_] | None] | None = None,
    caption: bool = True,
) -> Image:
    """Return (height, width, 3) RGB: the image with its answers, and depth beside it.

    Args:
        frame: what was seen.
        referrals: what was answered about it; where there are several, their points bear
            the numbers of the caption.
        masks: the truth of each, (height, width), or None where it is not known.
        caption: write instruction and result under the image.
    """
    truths = list(masks) if masks is not None else [None] * len(referrals)
    size = panel_size(frame)
    picture = mark(frame, referrals, truths, size)
    if frame.depth_m is not None:
        points = [point.uv_norm for referral in referrals for point in referral.points]
        depth = _marked_depth(frame.depth_m, points, size)
        picture = np.hstack([picture, np.full((size[1], 6, 3), PAPER, np.uint8), depth])
    if not caption:
        return picture
    lines: list[Line] = []
    for number, (referral, truth) in enumerate(zip(referrals, truths, strict=True), 1):
        prefix = f"{number}. " if len(referrals) > 1 else ""
        lines.append(Line(f"{prefix}{referral.instruction}", bold=True))
        lines.append(result_line(referral, truth))
    return np.vstack([picture, caption_strip(picture.shape[1], lines, size[1] / 20)])


def panel_size(frame: Frame, widths: tuple[int, int] = PANEL_WIDTHS) -> tuple[int, int]:
    """Return the (width, height) that an image is shown at, its proportions kept.

    The width lies between the two of `widths`, unless the image is so tall that it would not fit.
    """
    width = min(max(frame.width, widths[0]), widths[1])
    scale = min(width / frame.width, max(_PANEL_HEIGHT, width) / frame.height)
    return max(1, round(frame.width * scale)), max(1, round(frame.height * scale))


def mark(
    frame: Frame,
    referrals: Sequence[Referral],
    masks: Sequence[NDArray[np.bool_] | None],
    size: tuple[int, int],
) -> Image:
    """Return the image at `size` (width, height) with truth outlines, anchors and answers."""
    shrinks = size[0] < frame.width
    picture = cv2.resize(
        frame.rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    )
    radius = max(7.0, size[1] / 40)
    for mask in masks:
        if mask is not None:
            scaled = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
            draw_outline(picture, scaled.astype(bool), max(1, round(radius / 5)))
    for referral in referrals:
        _draw_anchors(picture, referral, radius)
    for place, referral in enumerate(referrals, 1):
        for number, point in enumerate(referral.points, 1):
            # As the caption counts: answers where there are several, else the points of the one.
            label = place if len(referrals) > 1 else number if len(referral.points) > 1 else ""
            draw_point(picture, _on_panel(point.uv_norm, size), radius, str(label))
    return np.asarray(picture)


def result_line(referral: Referral, truth: NDArray[np.bool_] | None = None) -> Line:
    """Return what came out in one line: distance, score and, if the truth is known, hit or miss."""
    if not referral.points:
        absent = referral.status == "no_target"
        return Line("nothing matches" if absent else f"no answer: {referral.status}", MUTED)
    point = referral.points[0]
    if point.p_cam_m is not None:
        words = [f"{float(np.linalg.norm(point.p_cam_m)):.2f} m away"]
    else:
        words = [f"pixel {point.uv_px[0]:.0f}, {point.uv_px[1]:.0f}"]
    if point.score is not None:
        words.append(f"confidence {point.score:.2f}")
    if truth is None:
        return Line(" · ".join(words), MUTED)
    hit = is_hit(point.uv_norm, truth)
    return Line(" · ".join([*words, "hit" if hit else "miss"]), GOOD if hit else BAD)


def caption_strip(width: int, lines: Sequence[Line], text: float) -> Image:
    """Return a (height, width, 3) strip with the lines on it; `text` is their height in pixels."""
    text = max(text, 13.0)
    pad = round(text * 0.6)
    wrapped = [
        (part, line) for line in lines for part in wrap(line.text, text, width - 2 * pad, line.bold)
    ]
    step = text * 1.3
    strip = np.full((round(step * len(wrapped) + 1.4 * pad), width, 3), PAPER, np.uint8)
    for row, (part, line) in enumerate(wrapped):
        put_text(strip, part, (pad, pad * 0.7 + row * step), text, line.colour, line.bold)
    return strip


def _draw_anchors(picture: Image, referral: Referral, radius: float) -> None:
    """Draw every located step that is not the answer itself, linked to the answer."""
    size = picture.shape[1], picture.shape[0]
    answers = [_on_panel(point.uv_norm, size) for point in referral.points]
    places = [
        (index, step.target, _on_panel((step.value[0], step.value[1]), size))
        for index, step in enumerate(referral.steps, 1)
        if step.kind == "position"
    ]
    anchors = [place for place in places if all(_far_apart(place[2], xy, radius) for xy in answers)]
    for _, _, xy in anchors:
        if answers:
            draw_link(picture, xy, answers[0])
    for index, target, xy in anchors:
        draw_anchor(picture, xy, radius * 0.6, f"{index} {target}")


def _marked_depth(
    depth_m: NDArray[np.floating], points: Sequence[tuple[float, float]], size: tuple[int, int]
) -> Image:
    picture = depth_picture(depth_m, size)
    for point in points:
        x, y = (round(value) for value in _on_panel(point, size))
        for colour, width in ((DARK, 4), (WHITE, 2)):
            cv2.circle(picture, (x, y), round(size[1] / 60), colour, width, cv2.LINE_AA)
    return picture


def _on_panel(uv_norm: tuple[float, float], size: tuple[int, int]) -> tuple[float, float]:
    return uv_norm[0] * size[0] - 0.5, uv_norm[1] * size[1] - 0.5


def _far_apart(first: tuple[float, float], second: tuple[float, float], radius: float) -> bool:
    return float(np.hypot(first[0] - second[0], first[1] - second[1])) > 1.5 * radius
