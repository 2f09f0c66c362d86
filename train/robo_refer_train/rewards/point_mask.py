"""A point reward that knows the mask: 1 on it, and off it the nearer the better."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data import masks
from robo_refer.geometry.camera import norm_to_px
from robo_refer.geometry.lift import nearest_pixel
from robo_refer_train.rewards.base import Point, Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import ramp
from robo_refer_train.rewards.point import decided_by_count

_KEPT_MASKS = 32  # a group's answers share one; float32 VGA is 1.2 MB


@dataclass(frozen=True)
class PointOnMask(Reward):
    """1 on the mask; off it at most 0.5, falling to 0 at 20 % of the image's diagonal.

    Unlike 50 px around one point, it is fair to small and large objects, to any resolution, and to
    free space, of which every place is right; and a group that only misses still learns from the
    better misses. `near`, the 0.5, keeps a miss by a pixel well below a hit; `reach` is the 20 %.
    """

    near: float = 0.5
    reach: float = 0.2
    name = "point_mask"

    def check(self, truth: Truth) -> None:
        """Refuse items with a point and no mask."""
        if truth.points is None:
            raise cannot_serve(self.name, "no points")
        if truth.points and truth.mask is None:
            raise cannot_serve(self.name, "no mask")
        if truth.mask is not None and not masks.area(truth.mask):
            raise cannot_serve(self.name, "an empty mask")

    def __call__(self, written: Written, truth: Truth) -> Score:
        decided = decided_by_count(written, truth)
        if decided is not None:
            return decided
        points, asked = written.points or (), len(truth.points or ())
        if truth.mask is None:
            raise cannot_serve(self.name, "no mask")
        away_px = _away_px(truth.mask["counts"], *truth.mask["size"])
        far = [_at(away_px, point) / float(np.hypot(*away_px.shape)) for point in points]
        share = sum(self._credit(distance) for distance in far) / asked
        return Score(share, f"{min(far):.1%} of the diagonal off the mask")

    def _credit(self, far: float) -> float:
        return 1.0 if far == 0 else self.near * ramp(far, 0.0, self.reach)


@lru_cache(maxsize=_KEPT_MASKS)
def _away_px(counts: str, height: int, width: int) -> NDArray[np.float32]:
    """Return (height, width): every pixel's distance to the nearest one of the mask, pixels."""
    mask = masks.decode({"counts": counts, "size": [height, width]})
    away: NDArray[np.float32] = cv2.distanceTransform(
        (~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return away


def _at(away_px: NDArray[np.float32], point: Point) -> float:
    height, width = away_px.shape
    u, v = norm_to_px(point, width, height).tolist()
    pixel = nearest_pixel(u, v, width, height)
    if pixel is None:  # the grammar writes nothing beside the image
        return float(np.hypot(height, width))
    return float(away_px[pixel[1], pixel[0]])
