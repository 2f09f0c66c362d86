"""Suites that name an object by a phrase and give its box: how they are asked for a point."""

from __future__ import annotations

ASK_FOR_POINT = (
    "Answer with a list of one tuple, [(x, y)]: x and y between 0 and 1, "
    "from the left and the top of the image."
)
"""Their authors ask for boxes, so the words for points are ours."""


def point_to(phrase: str) -> str:
    """Return the instruction to point to what a phrase names."""
    return f"Point to {phrase.strip().rstrip('.')}."
