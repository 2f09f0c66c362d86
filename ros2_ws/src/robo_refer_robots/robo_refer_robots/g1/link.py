"""The robot's own topics: its state, the state of its controller, and the arm's commands."""

from __future__ import annotations

import itertools
import json
import time
from typing import Any

import numpy as np
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.g1 import SHARED_MOTORS
from robo_refer.robots.path import Matrix
from robo_refer.robots.unitree import LowCommand

try:
    from unitree_api.msg import Request, Response
    from unitree_hg.msg import LowCmd, LowState, MotorCmd
except ModuleNotFoundError as error:
    raise RoboReferError(
        ErrorCode.MISSING_DEPENDENCY,
        f"This needs Unitree's messages: there is no package {error.name}.",
        "Source a workspace with unitree_ros2.",
    ) from error

GET_FSM_ID = 7001
_STATE_AGE_S = 0.5
_ANSWER_S = 2.0
_ARRIVE_S = 2.0


class G1Link:
    """Speaks with the robot.

    Args:
        node: that listens and publishes.
        group: of the callbacks.
    """

    def __init__(self, node: Node, group: CallbackGroup) -> None:
        self._state: LowState | None = None
        self._heard_s = -np.inf
        self._ids = itertools.count(time.time_ns())
        self._asked: int | None = None
        self._answer: Response | None = None
        node.create_subscription(
            LowState, "/lowstate", self._on_state, qos_profile_sensor_data, callback_group=group
        )
        node.create_subscription(
            Response, "/api/sport/response", self._on_response, 10, callback_group=group
        )
        self._requests = node.create_publisher(Request, "/api/sport/request", 10)
        self._commands = node.create_publisher(LowCmd, "/arm_sdk", 10)

    def joints_rad(self) -> Matrix:
        """Return (17,) where waist, left arm and right arm are: the `SHARED_MOTORS`.

        Raises:
            RoboReferError: ROBOT_NOT_READY when the robot is silent.
        """
        motors = self._recent().motor_state
        return np.array([motors[number].q for number in SHARED_MOTORS], float)

    def mode_machine(self) -> int:
        """Return the mode that every command must repeat.

        Raises:
            RoboReferError: ROBOT_NOT_READY when the robot is silent.
        """
        return int(self._recent().mode_machine)

    @property
    def is_silent(self) -> bool:
        """Whether the robot has not said how it is for a while."""
        return time.monotonic() - self._heard_s > _STATE_AGE_S

    def fsm_id(self) -> int:
        """Ask in which state the robot's controller is.

        Raises:
            RoboReferError: ROBOT_NOT_READY when it does not answer, or not with a number.
        """
        request = Request(parameter="{}")
        request.header.identity.id = next(self._ids)
        request.header.identity.api_id = GET_FSM_ID
        self._answer, self._asked = None, request.header.identity.id
        self._requests.publish(request)
        answer = _first(lambda: self._answer, _ANSWER_S)
        if answer is None or answer.header.status.code != 0:
            said = "nothing" if answer is None else f"error {answer.header.status.code}"
            raise _not_ready(f"Asked for its state, G1's controller answered {said}.")
        try:
            return int(json.loads(answer.data)["data"])
        except (ValueError, KeyError, TypeError):
            raise _not_ready(
                f"Asked for its state, G1's controller answered '{answer.data[:80]}'."
            ) from None

    def send(self, command: LowCommand) -> None:
        """Publish a command, as a message that is made anew with its checksum."""
        self._commands.publish(message(command))

    def _recent(self) -> LowState:
        if _first(lambda: None if self.is_silent else True, _ARRIVE_S) is None:
            raise _not_ready("Nothing recent has arrived on /lowstate.")
        return self._state

    def _on_state(self, state: LowState) -> None:
        self._state, self._heard_s = state, time.monotonic()

    def _on_response(self, response: Response) -> None:
        if response.header.identity.id == self._asked:  # others ask too
            self._answer = response


def message(command: LowCommand) -> LowCmd:
    """Return a command as a message."""
    made = LowCmd(mode_pr=command.mode_pr, mode_machine=command.mode_machine)
    made.motor_cmd = [
        MotorCmd(mode=m.mode, q=m.q_rad, dq=m.dq_rad_s, tau=m.tau_nm, kp=m.kp, kd=m.kd)
        for m in command.motors
    ]
    made.crc = command.checksum()
    return made


def _first(look: Any, timeout_s: float) -> Any:
    """Return the first thing that is found, or None after a while."""
    deadline = time.monotonic() + timeout_s
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(0.01)
    return found


def _not_ready(message: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.ROBOT_NOT_READY,
        message,
        "Check that G1 is on, and that ROS 2 uses its network interface (CYCLONEDDS_URI).",
    )
