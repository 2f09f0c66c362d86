"""R_P of RoboRefer: the final point lies within 50 pixels of the truth's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer_train.rewards.base import Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import matched


@dataclass(frozen=True)
class PointWithin(Reward):
    """1 if the point is less than 50 px (`within_px`, L1) from the truth's, else 0.

    Distances are in pixels of the truth's stated frame. Of several points asked for, the share
    that is found counts. More points than asked for earn nothing; where the referent is absent,
    exactly the empty list is right.
    Source: RoboRefer (arXiv:2506.04308), section 3.4, which does not state the frame.
    """

    within_px: float = 50.0
    name = "point"

    def check(self, truth: Truth) -> None:
        """Refuse items without points or without the size of their frame."""
        if truth.points is None:
            raise cannot_serve(self.name, "no points")
        if truth.size_px is None or min(truth.size_px) < 1:
            raise cannot_serve(self.name, "no frame in which distances are pixels")
        if not np.isfinite(truth.points).all():
            raise cannot_serve(self.name, "a point that is not finite")

    def __call__(self, written: Written, truth: Truth) -> Score:
        decided = decided_by_count(written, truth)
        if decided is not None:
            return decided
        far_px = l1_px(written, truth)
        share = matched((far_px < self.within_px).astype(np.float64)) / far_px.shape[1]
        return Score(share, f"{far_px.min():.0f} px off (L1; right below {self.within_px:g})")


def decided_by_count(written: Written, truth: Truth) -> Score | None:
    """Return the verdict where the number of points says it all, None where places matter."""
    if written.points is None:
        return Score(0.0, "no list of points can be read")
    asked = len(truth.points or ())
    if not written.points and not asked:
        return Score(1.0, "the referent is absent, and the answer says so")
    if not asked:
        return Score(0.0, "it points although the referent is absent")
    if not written.points:
        return Score(0.0, "it points at nothing although the referent is there")
    if len(written.points) > asked:
        return Score(0.0, f"{len(written.points)} points where {asked} was asked for")
    return None


def l1_px(written: Written, truth: Truth) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return the (written, true) L1 distances in pixels of the truth's frame."""
    here, there = np.array(written.points, float), np.array(truth.points, float)
    apart = np.abs(here[:, None] - there[None]) * np.array(truth.size_px, float)
    far_px: np.ndarray[tuple[int, int], np.dtype[np.float64]] = apart.sum(axis=2)
    return far_px
