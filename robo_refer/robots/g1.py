"""Unitree G1: a target becomes a stream of arm commands that blends in and out.

The arms are driven through `/arm_sdk` while the robot's own controller keeps it on its legs: motor
29's angle is the share (0..1) that the stream has in the control of waist and both arms, and it
must rise and fall slowly. It is one share for all of them: what the reach does not move is held
where it was, or it would go limp. Which motors these are, the gains, and the modes in which the
robot accepts the stream are those of Unitree's SDK 2 and its examples for 29 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
WAIST = "waist_yaw_joint", "waist_roll_joint", "waist_pitch_joint"
SHARED_MOTORS = range(12, 29)
"""Waist, left arm, right arm: all that `/arm_sdk` drives, with one weight."""
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
        kp, kd: gains of every motor of waist and arms.
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


def arm_slice(side: Side) -> slice:
    """Return which of the `SHARED_MOTORS` are an arm's."""
    first = SHARED_MOTORS.index(FIRST_MOTOR[side])
    return slice(first, first + ARM_MOTORS)


class G1:
    """Plans reaches of one arm; does not move anything.

    Args:
        urdf: description of the robot (29 degrees of freedom).
        side: which arm.
        stream: how its commands are blended.
    """

    def __init__(self, urdf: Path, side: Side, stream: StreamOptions | None = None) -> None:
        self.side: Side = side
        self._arm = Arm(urdf, joint_names(side), "pelvis", f"{side}_rubber_hand")
        self._stream = stream or StreamOptions()

    def arm(self, joints_rad: Matrix) -> Arm:
        """Return the arm on the waist as it is turned.

        Args:
            joints_rad: (17,) where the `SHARED_MOTORS` are.
        """
        return self._arm.on(dict(zip(WAIST, np.asarray(joints_rad, float).tolist(), strict=False)))

    def plan(
        self, target: Target, start_rad: Matrix, now_s: float, guard: GuardOptions = REACH
    ) -> JointPath:
        """Return the path that brings the hand to the target (pelvis frame), however it is turned.

        Args:
            target: what is reached for.
            start_rad: (17,) where the `SHARED_MOTORS` are; the waist stays there.
            now_s: seconds, in the clock of the target's stamp.
            guard: which targets are reached for.

        Raises:
            RoboReferError: those of `check_target`, and OUT_OF_WORKSPACE beyond the arm's reach.
        """
        check_target(target, now_s, guard, self._arm.base_frame)
        arm = self.arm(start_rad)
        pose = np.eye(4)
        pose[:3, 3] = target.position_m
        start = np.asarray(start_rad, float)[arm_slice(self.side)]
        goal = arm.solve(pose, start, position_only=True)
        count = max(2, 1 + int(np.ceil(np.abs(goal - start).max() / 0.05)))
        return timed(arm, [np.linspace(start, goal, count)], self._stream.speed)

    def commands(
        self, path: JointPath, start_rad: Matrix, mode_machine: int, fsm_id: int
    ) -> Iterator[LowCommand]:
        """Yield one command every 1 / `RATE_HZ` seconds: blend in, move, hold.

        Whoever has sent the first of them must send those of `release`, whatever happens.

        Args:
            path: of the arm.
            start_rad: (17,) where the `SHARED_MOTORS` are; those outside the arm stay there.
            mode_machine: as the robot reports it.
            fsm_id: state of the robot's controller.

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
        arm = arm_slice(self.side)
        start = np.array(start_rad, float)
        way = np.tile(start, (1 + len(path.positions_rad), 1))
        way[1:, arm] = path.positions_rad
        ramp = np.linspace(0.0, 1.0, max(2, round(self._stream.ramp_s * RATE_HZ)))
        for weight in ramp:
            yield self._command(start, float(weight), mode_machine)
        times = np.concatenate([[0.0], path.times_s])
        for clock_s in np.arange(1.0 / RATE_HZ, path.times_s[-1], 1.0 / RATE_HZ):
            wanted = np.array([np.interp(clock_s, times, column) for column in way.T])
            yield self._command(wanted, 1.0, mode_machine)
        for _ in range(max(1, round(self._stream.hold_s * RATE_HZ))):
            yield self._command(way[-1], 1.0, mode_machine)

    def release(self, last: LowCommand) -> Iterator[LowCommand]:
        """Yield the commands that give the arms back, after a reach or when it is stopped.

        Args:
            last: the last command that was sent. Only its weight falls, from where it was: nothing
                jumps when a reach is stopped early.
        """
        weight = last.motors[WEIGHT_MOTOR].q_rad
        count = max(2, round(weight * self._stream.ramp_s * RATE_HZ))
        for share in np.linspace(weight, 0.0, count):
            yield _weighted(last, float(share))

    def _command(self, q_rad: Matrix, weight: float, mode_machine: int) -> LowCommand:
        motors = [MotorCommand()] * MOTORS
        for number, angle in zip(SHARED_MOTORS, q_rad.tolist(), strict=True):
            motors[number] = MotorCommand(
                mode=1, q_rad=angle, kp=self._stream.kp, kd=self._stream.kd
            )
        return _weighted(LowCommand(mode_machine, tuple(motors)), weight)


def _weighted(command: LowCommand, weight: float) -> LowCommand:
    """Return a command with another share in the control of waist and arms."""
    motors = list(command.motors)
    motors[WEIGHT_MOTOR] = MotorCommand(q_rad=weight)
    return replace(command, motors=tuple(motors))
