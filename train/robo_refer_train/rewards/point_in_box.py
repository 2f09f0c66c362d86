"""UI-Venus's reward of grounding: the point lies in the box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer_train.rewards.base import Box, Point, Reward, Score, Truth, Written, cannot_serve
from robo_refer_train.rewards.matching import matched


@dataclass(frozen=True)
class PointInBox(Reward):
    """The share of the truth's boxes that have a point of the answer, each its own.

    More points than boxes earn nothing.
    Source: UI-Venus (arXiv:2508.10833), which takes the centre of a written box as its point.
    """

    name = "point_in_box"

    def check(self, truth: Truth) -> None:
        """Refuse items without boxes."""
        if not truth.boxes:
            raise cannot_serve(self.name, "no boxes")

    def __call__(self, written: Written, truth: Truth) -> Score:
        if not written.points:
            return Score(0.0, "no point can be read")
        if len(written.points) > len(truth.boxes):
            return Score(0.0, f"{len(written.points)} points for {len(truth.boxes)} boxes")
        inside = np.array([[_is_in(p, b) for b in truth.boxes] for p in written.points], float)
        share = matched(inside) / len(truth.boxes)
        return Score(share, f"{share:.0%} of {len(truth.boxes)} boxes have their point")


def _is_in(point: Point, box: Box) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
