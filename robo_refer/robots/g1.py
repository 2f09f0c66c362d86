"""Unitree G1: a target becomes a stream of arm commands that blends in and out.

The arms are driven through `/arm_sdk` while the robot's own controller keeps it on its legs: motor
29's angle is the share (0..1) that the stream has in the arms' control, and it must rise and fall
slowly. Which motors are arms, the gains, and the modes in which the robot accepts the stream are
those of Unitree's SDK 2 and its examples for 29 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.arm import Arm
from robo_refer.robots.path import JointPath, Matrix, timed
from robo_refer.robots.target import GuardOptions, Target, check_target
from robo_refer.robots.unitree import MOTORS, LowCommand, MotorCommand

Side = Literal["left", "right"]

RATE_HZ = 50.0
WEIGHT_MOTOR = 29
FIRST_MOTOR: dict[Side, int] = {"left": 15, "right": 22}
ALLOWED_FSM = frozenset({500, 501, 801})
"""States of the locomotion controller in which the arms may be streamed to."""

_PARTS = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch",
          "wrist_yaw")  # fmt: skip
ARM_MOTORS = 7
REACH = GuardOptions(workspace_min_m=(0.0, -0.7, -0.5), workspace_max_m=(0.8, 0.7, 0.9))
"""Of a standing G1: in front of its pelvis, from its knees to above its head."""


@dataclass(frozen=True)
class StreamOptions:
    """How arm commands are blended and held.

    Attributes:
        ramp_s: seconds in which the weight rises from 0 to 1, and falls again.
        hold_s: seconds at the target.
        kp, kd: gains of every arm motor.
        speed: share of the joints' speed limits, (0, 1]; G1's limits are high, so this is low.
    """

    ramp_s: float = 1.0
    hold_s: float = 1.0
    kp: float = 60.0
    kd: float = 1.5
    speed: float = 0.03


def joint_names(side: Side) -> tuple[str, ...]:
    """Return the seven joints of an arm, from the shoulder outwards."""
    return tuple(f"{side}_{part}_joint" for part in _PARTS)


class G1:
    """Plans reaches of one arm; does not move anything.

    Args:
        urdf: description of the robot (29 degrees of freedom).
        side: which arm.
        stream: how its commands are blended.
    """

    def __init__(self, urdf: Path, side: Side, stream: StreamOptions | None = None) -> None:
        self.side: Side = side
        self.arm = Arm(urdf, joint_names(side), "pelvis", f"{side}_rubber_hand")
        self._stream = stream or StreamOptions()

    def plan(
        self, target: Target, start_rad: Matrix, now_s: float, guard: GuardOptions = REACH
    ) -> JointPath:
        """Return the path that brings the hand to the target (pelvis frame), however it is turned.

        Raises:
            RoboReferError: those of `check_target`, and OUT_OF_WORKSPACE beyond the arm's reach.
        """
        check_target(target, now_s, guard, self.arm.base_frame)
        pose = np.eye(4)
        pose[:3, 3] = target.position_m
        start = np.asarray(start_rad, float)
        goal = self.arm.solve(pose, start, position_only=True)
        count = max(2, 1 + int(np.ceil(np.abs(goal - start).max() / 0.05)))
        return timed(self.arm, [np.linspace(start, goal, count)], self._stream.speed)

    def commands(
        self, path: JointPath, start_rad: Matrix, mode_machine: int, fsm_id: int
    ) -> Iterator[LowCommand]:
        """Yield one command every 1 / `RATE_HZ` seconds: blend in, move, hold.

        Whoever has sent the first of them must send those of `release`, whatever happens.

        Raises:
            RoboReferError: ROBOT_NOT_READY when the robot's controller does not share its arms.
        """
        if fsm_id not in ALLOWED_FSM:
            raise RoboReferError(
                ErrorCode.ROBOT_NOT_READY,
                f"G1 is in state {fsm_id}; its arms are only shared in "
                f"{', '.join(map(str, sorted(ALLOWED_FSM)))}.",
                "Let it stand up with its own controller first.",
            )
        start, end = np.asarray(start_rad, float), path.positions_rad[-1]
        ramp = np.linspace(0.0, 1.0, max(2, round(self._stream.ramp_s * RATE_HZ)))
        for weight in ramp:
            yield self._command(start, float(weight), mode_machine)
        times = np.concatenate([[0.0], path.times_s])
        rows = np.vstack([start, path.positions_rad])
        for clock_s in np.arange(1.0 / RATE_HZ, path.times_s[-1], 1.0 / RATE_HZ):
            wanted = np.array([np.interp(clock_s, times, column) for column in rows.T])
            yield self._command(wanted, 1.0, mode_machine)
        for _ in range(max(1, round(self._stream.hold_s * RATE_HZ))):
            yield self._command(end, 1.0, mode_machine)

    def release(
        self, at_rad: Matrix, mode_machine: int, weight: float = 1.0
    ) -> Iterator[LowCommand]:
        """Yield the commands that give the arm back, after a reach or when it is stopped.

        Args:
            at_rad: joint angles of the last command.
            mode_machine: as the robot reports it.
            weight: of the last command, so that a reach that is stopped early does not jump.
        """
        count = max(2, round(weight * self._stream.ramp_s * RATE_HZ))
        for share in np.linspace(weight, 0.0, count):
            yield self._command(np.asarray(at_rad, float), float(share), mode_machine)

    def _command(self, q_rad: Matrix, weight: float, mode_machine: int) -> LowCommand:
        motors = [MotorCommand()] * MOTORS
        first = FIRST_MOTOR[self.side]
        for number, angle in enumerate(q_rad.tolist()):
            motors[first + number] = MotorCommand(
                mode=1, q_rad=angle, kp=self._stream.kp, kd=self._stream.kd
            )
        motors[WEIGHT_MOTOR] = MotorCommand(q_rad=weight)
        return LowCommand(mode_machine, tuple(motors))
