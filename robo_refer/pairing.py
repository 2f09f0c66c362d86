"""Which colour and depth images are of one moment: no ROS in here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

Image = TypeVar("Image")
_SET_BACK_NS = 1_000_000_000


@dataclass(frozen=True)
class Stamped(Generic[Image]):
    """An image and its capture time."""

    stamp_ns: int
    image: Image


@dataclass(frozen=True)
class Pair(Generic[Image]):
    """A colour image and the depth image nearest to it in time."""

    colour: Stamped[Image]
    depth: Stamped[Image]

    @property
    def gap_ns(self) -> int:
        """Nanoseconds between the two."""
        return abs(self.colour.stamp_ns - self.depth.stamp_ns)


class Pairing(Generic[Image]):
    """Keeps the newest pair of two streams.

    Args:
        slop_s: largest difference of stamps within a pair, seconds.
        queue: images of each kind that wait for their partner.

    Attributes:
        newest: the best pair of the newest colour image that has a partner, or None.
        count: colour images that have had a partner.
    """

    def __init__(self, slop_s: float, queue: int) -> None:
        self._slop_ns = round(slop_s * 1e9)
        self._colour: deque[Stamped[Image]] = deque(maxlen=queue)
        self._depth: deque[Stamped[Image]] = deque(maxlen=queue)
        self.newest: Pair[Image] | None = None
        self.count = 0

    def add_colour(self, stamp_ns: int, image: Image) -> None:
        """Take in a colour image."""
        mine = Stamped(stamp_ns, image)
        self._colour.append(mine)
        for depth in self._depth:
            self._offer(Pair(mine, depth))

    def add_depth(self, stamp_ns: int, image: Image) -> None:
        """Take in a depth image."""
        mine = Stamped(stamp_ns, image)
        self._depth.append(mine)
        for colour in self._colour:
            self._offer(Pair(colour, mine))

    @property
    def smallest_gap_s(self) -> float | None:
        """Seconds between the closest colour and depth images that wait, or None."""
        gaps = [
            abs(colour.stamp_ns - depth.stamp_ns)
            for colour in self._colour
            for depth in self._depth
        ]
        return min(gaps) / 1e9 if gaps else None

    def clear(self) -> None:
        """Forget all images."""
        self._colour.clear()
        self._depth.clear()
        self.newest = None

    def _offer(self, pair: Pair[Image]) -> None:
        """Keep a pair that is of a newer colour image than the best, or closer."""
        if pair.gap_ns > self._slop_ns:
            return
        if self._is_newer(pair):
            self.count += 1
        elif not self._is_closer(pair):
            return
        self.newest = pair

    def _is_newer(self, pair: Pair[Image]) -> bool:
        if self.newest is None:
            return True
        ahead_ns = pair.colour.stamp_ns - self.newest.colour.stamp_ns
        # Far behind, the clock has been set back: one image of the future must not hide all others.
        return ahead_ns > 0 or ahead_ns < -_SET_BACK_NS

    def _is_closer(self, pair: Pair[Image]) -> bool:
        best = self.newest
        if best is None or pair.colour.stamp_ns != best.colour.stamp_ns:
            return False
        # Equally close: the one that came last, which matters where stamps are all the same.
        return pair.gap_ns <= best.gap_ns
