"""front_of, behind: the nearest object in depth, towards or away from the camera, in line.

Definition (camera frame, visible centroids): o is in front of X if it is nearer to the camera and
lies inside the 90-degree sector from X towards the camera (|dx| <= |dz|, both in metres). The
answer is the nearest in depth. It is asked only if the answer holds with margin (5 % in depth,
|dx| <= 0.8 |dz|, and on the same side along the ground too), while everything that could pass for
a member (1 % in depth, |dx| <= 1.25 |dz| + 2 cm) lies at least 3 % beyond it.
"""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY

HOLD_DEPTH, ASK_DEPTH, RUNNER_UP_DEPTH = 0.01, 0.05, 0.03
ASK_SLOPE, HOLD_SLOPE, HOLD_SLACK_M = 0.8, 1.25, 0.02
GROUND_MARGIN_M = 0.01


def front_of(facts: Facts) -> IntArray:
    """For every object as anchor: the object directly in front of it, AMBIGUOUS or EMPTY."""
    return _along_depth(facts, -1.0)


def behind(facts: Facts) -> IntArray:
    """For every object as anchor: the object directly behind it, AMBIGUOUS or EMPTY."""
    return _along_depth(facts, 1.0)


def _along_depth(facts: Facts, sign: float) -> IntArray:
    result = np.full(facts.n, AMBIGUOUS)
    if facts.n < 2:
        return result
    x, z = facts.visible_cam[:, 0], facts.visible_cam[:, 2]
    away = sign * (z[None] - z[:, None])
    relative = sign * np.log(z[None] / z[:, None])
    lateral = np.abs(x[None] - x[:, None])
    along_ground = sign * (
        (facts.centre_world @ facts.forward_world)[None]
        - (facts.centre_world @ facts.forward_world)[:, None]
    )
    possible = (relative >= HOLD_DEPTH) & (lateral <= HOLD_SLOPE * away + HOLD_SLACK_M)
    clear = (relative >= ASK_DEPTH) & (lateral <= ASK_SLOPE * away)
    clear &= along_ground >= GROUND_MARGIN_M
    candidate = np.where(possible, relative, np.inf)
    order = np.argsort(candidate, axis=1)
    for anchor in range(facts.n):
        best, runner_up = order[anchor, 0], order[anchor, 1]
        if not possible[anchor, best]:
            nothing_near = (np.delete(relative[anchor], anchor) < -HOLD_DEPTH).all()
            if nothing_near and len(facts.unlisted_ids) == 0:
                result[anchor] = EMPTY
        elif clear[anchor, best]:
            gap = candidate[anchor, runner_up] - candidate[anchor, best]
            result[anchor] = best if gap >= RUNNER_UP_DEPTH else AMBIGUOUS
    return result
