"""Superlatives and comparisons: nearest and farthest from the camera, biggest ... shortest.

Definition: distance from the camera is the median visible depth (margin 5 %); height is the
vertical extent in the world (15 % and 1 cm); size is the volume of the oriented box (a factor
1.4), asked only if the largest extent agrees (5 %).
"""

from __future__ import annotations

from collections.abc import Sequence

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.outcome import AMBIGUOUS, clear_minimum

DEPTH_RATIO = 1.05
HEIGHT_RATIO, HEIGHT_M = 1.15, 0.01
VOLUME_RATIO, EXTENT_RATIO = 1.4, 1.05

EXTREMES = ("nearest_camera", "farthest_camera", "biggest", "smallest", "tallest", "shortest")


def extreme(facts: Facts, attribute: str, among: Sequence[int]) -> int:
    """Return the index of the extreme object among some, or AMBIGUOUS.

    Args:
        facts: the scene.
        attribute: one of EXTREMES.
        among: indices of at least two objects.
    """
    if len(among) < 2:
        return AMBIGUOUS
    best = _position(facts, attribute, among)
    return among[best] if best >= 0 else AMBIGUOUS


def _position(facts: Facts, attribute: str, among: Sequence[int]) -> int:
    """Return the position in `among` of the extreme object, or AMBIGUOUS."""
    if attribute == "nearest_camera":
        return clear_minimum([facts.depths[i] for i in among], DEPTH_RATIO, 0.0)
    if attribute == "farthest_camera":
        return clear_minimum([1 / facts.depths[i] for i in among], DEPTH_RATIO, 0.0)
    heights = [facts.heights[i] for i in among]
    if attribute == "shortest":
        return clear_minimum(heights, HEIGHT_RATIO, HEIGHT_M)
    if attribute == "tallest":
        first, second = sorted(heights, reverse=True)[:2]
        clear = first >= HEIGHT_RATIO * second and first - second >= HEIGHT_M
        return heights.index(first) if clear else AMBIGUOUS
    power = -1.0 if attribute == "biggest" else 1.0
    by_volume = clear_minimum([facts.volumes[i] ** power for i in among], VOLUME_RATIO, 0.0)
    by_extent = clear_minimum([facts.extents[i] ** power for i in among], EXTENT_RATIO, 0.0)
    return by_volume if by_volume == by_extent else AMBIGUOUS
