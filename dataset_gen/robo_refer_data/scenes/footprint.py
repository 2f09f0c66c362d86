"""Footprints: rectangles on a plane, and whether they collide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, sin


@dataclass(frozen=True)
class Footprint:
    """An upright rectangle or disc seen from above: centre (m), half extents (m), yaw (rad)."""

    x: float
    y: float
    half_x: float
    half_y: float
    yaw: float = 0.0
    round: bool = False

    def axes(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return its unit x and y directions in the world."""
        c, s = cos(self.yaw), sin(self.yaw)
        return (c, s), (-s, c)

    def reach(self, direction: tuple[float, float]) -> float:
        """Return half its width along a unit direction."""
        if self.round:
            return max(self.half_x, self.half_y)
        (ax, ay), (bx, by) = self.axes()
        dx, dy = direction
        return self.half_x * abs(ax * dx + ay * dy) + self.half_y * abs(bx * dx + by * dy)


def gap(one: Footprint, other: Footprint) -> float:
    """Return a lower bound of the distance between two footprints, negative when they overlap.

    The separating axis test; discs also try the line between the centres.
    """
    dx, dy = other.x - one.x, other.y - one.y
    directions: list[tuple[float, float]] = []
    if not one.round:
        directions += one.axes()
    if not other.round:
        directions += other.axes()
    length = (dx * dx + dy * dy) ** 0.5
    if length > 1e-9 and (one.round or other.round):
        directions.append((dx / length, dy / length))
    best = -1.0
    for direction in directions:
        apart = abs(dx * direction[0] + dy * direction[1])
        best = max(best, apart - one.reach(direction) - other.reach(direction))
    return best


def is_free(candidate: Footprint, others: Sequence[Footprint], margin_m: float) -> bool:
    """Return whether a footprint keeps `margin_m` from all others."""
    return all(gap(candidate, other) >= margin_m for other in others)


def is_inside(candidate: Footprint, half_x: float, half_y: float) -> bool:
    """Return whether a footprint lies within the rectangle of these half extents at the origin."""
    along_x = abs(candidate.x) + candidate.reach((1.0, 0.0))
    along_y = abs(candidate.y) + candidate.reach((0.0, 1.0))
    return along_x <= half_x and along_y <= half_y
