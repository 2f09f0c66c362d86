"""A mask as an SVG path that runs along the edges of its pixels."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def svg_path(mask: NDArray[np.bool_]) -> str:
    """Return the path data of a mask's outline, "" if it is empty.

    Filled by the even-odd rule it covers exactly the mask's pixels, holes and islands included.

    Args:
        mask: (height, width).

    Returns:
        Path data in pixels, x right and y down; the image spans (0, 0) to (width, height).
    """
    # Contours run through pixel centres. On a mask of twice the size the four quarters of a pixel
    # tell its sides apart: an even coordinate is its left or upper edge, an odd one the other.
    twice = np.asarray(mask, dtype=np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    contours, _ = cv2.findContours(twice, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    edges = ((contour[:, 0] + 1) // 2 for contour in contours)
    return "".join(_closed([(int(x), int(y)) for x, y in corners]) for corners in edges)


def _closed(corners: list[tuple[int, int]]) -> str:
    """Return a closed path along corners whose joining lines are all horizontal or vertical."""
    x, y = corners[0]
    parts = [f"M{x} {y}"]
    for next_x, next_y in corners[1:]:
        if next_x != x:
            parts.append(f"H{next_x}")
        if next_y != y:
            parts.append(f"V{next_y}")
        x, y = next_x, next_y
    return "".join(parts) + "Z"
