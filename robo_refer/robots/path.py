"""Joint paths through waypoints: slow enough for every joint, at rest at both ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.arm import Arm

Matrix = NDArray[np.float64]

_PEAK_OF_MEAN = 1.5
"""A cubic from rest to rest is 1.5 times as fast in the middle as on average."""

_MAX_JUMP_RAD = 0.5
"""Between two points of a straight line no joint turns further, or the arm has flipped."""


@dataclass(frozen=True)
class JointPath:
    """Joint angles over time; the robot stops at every point that is reached with no velocity.

    Attributes:
        joints: names, in the order of the columns.
        times_s: (n,) seconds from the start, strictly increasing, beginning above zero.
        positions_rad: (n, joints).
        velocities_rad_s: (n, joints); zero at the end.
    """

    joints: tuple[str, ...]
    times_s: Matrix
    positions_rad: Matrix
    velocities_rad_s: Matrix


def straight_line(
    arm: Arm, T_base_from: Matrix, T_base_to: Matrix, start_rad: Matrix, step_m: float = 0.02
) -> Matrix:
    """Return (n, joints) that move the tool straight between two poses of equal orientation.

    Raises:
        RoboReferError: OUT_OF_WORKSPACE when a point of the line cannot be reached, or only by
            turning the arm over.
    """
    length = float(np.linalg.norm(T_base_to[:3, 3] - T_base_from[:3, 3]))
    count = max(2, 1 + int(np.ceil(length / step_m)))
    rows = [np.asarray(start_rad, float)]
    for share in np.linspace(0.0, 1.0, count)[1:]:
        pose = np.array(T_base_to, float)
        pose[:3, 3] = (1 - share) * T_base_from[:3, 3] + share * T_base_to[:3, 3]
        row = arm.solve(pose, rows[-1])
        if np.abs(row - rows[-1]).max() > _MAX_JUMP_RAD:
            raise RoboReferError(
                ErrorCode.OUT_OF_WORKSPACE,
                "The arm would have to turn over on the straight way to the target.",
                "Approach from another side, or start from another posture.",
            )
        rows.append(row)
    return np.array(rows)


def timed(arm: Arm, legs: Sequence[Matrix], speed: float = 0.2) -> JointPath:
    """Return the path through some legs, at rest between them.

    Args:
        arm: whose speed limits hold.
        legs: (n, joints) each; a leg begins where the one before it ended. The first row of the
            first leg is where the robot is, and is not part of the path.
        speed: share of every joint's speed limit that is used at most, (0, 1].

    Raises:
        RoboReferError: BAD_REQUEST for any other share.
    """
    if not 0 < speed <= 1:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The robot does not move: {speed:g} is no share of its joints' speed limits.",
            "Give a speed above 0 and up to 1.",
        )
    times, positions, velocities = [], [], []
    clock_s = 0.0
    for leg in legs:
        moves = np.abs(np.diff(leg, axis=0)) / arm.max_speed_rad_s
        shares = np.maximum(moves.max(axis=1), 1e-3)
        progress = np.concatenate([[0.0], np.cumsum(shares)]) / shares.sum()
        duration_s = _PEAK_OF_MEAN * float(shares.sum()) / speed
        # Progress as a cubic of time from rest to rest, inverted at every point of the leg.
        fine = np.linspace(0.0, 1.0, 513)
        reached = fine**2 * (3 - 2 * fine)
        at = np.interp(progress, reached, fine)
        rate = 6 * at * (1 - at) / duration_s
        slope = np.gradient(leg, progress, axis=0)
        times.append(clock_s + duration_s * at[1:])
        positions.append(leg[1:])
        velocities.append(slope[1:] * rate[1:, None])
        clock_s += duration_s
    return JointPath(
        arm.joints, np.concatenate(times), np.concatenate(positions), np.concatenate(velocities)
    )
