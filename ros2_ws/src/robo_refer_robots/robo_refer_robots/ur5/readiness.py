"""Whether the arm can be moved: its controller is active and its program plays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from importlib.util import find_spec
from typing import Any

import numpy as np
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from robo_refer_ros.side_node import SideNode
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.path import Matrix
from robo_refer.robots.ur5 import JOINTS
from robo_refer_robots.waiting import wait_for_answer

_STATE_AGE_S = 1.0
_ANSWER_S = 3.0
_ARRIVE_S = 2.0


class Readiness:
    """Listens to what the driver says of the arm.

    Args:
        node: that listens.
        side: asks the controller manager.
        controller: name of the controller that must be active.
        program_topic: tells whether the robot's program plays; "" is not checked.
        group: of the callbacks.
    """

    def __init__(
        self,
        node: Node,
        side: SideNode,
        controller: str,
        program_topic: str,
        group: CallbackGroup,
    ) -> None:
        self._side, self._controller, self._program_topic = side, controller, program_topic
        self._joints: dict[str, float] = {}
        self._heard_s = -np.inf
        self._plays: bool | None = None
        node.create_subscription(
            JointState, "/joint_states", self._on_joints, qos_profile_sensor_data,
            callback_group=group,
        )  # fmt: skip
        if program_topic:
            latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            node.create_subscription(
                Bool, program_topic, self._on_program, latched, callback_group=group
            )
        self._list: Any = None
        if find_spec("controller_manager_msgs") is not None:
            from controller_manager_msgs.srv import ListControllers

            self._request = ListControllers.Request
            self._list = side.node.create_client(
                ListControllers, "/controller_manager/list_controllers"
            )

    def joints_rad(self) -> Matrix:
        """Return where the joints are, in the order of `JOINTS`; waits a moment for the first.

        Raises:
            RoboReferError: ROBOT_NOT_READY when nothing recent is known.
        """
        deadline = time.monotonic() + _ARRIVE_S
        while time.monotonic() - self._heard_s > _STATE_AGE_S:
            if time.monotonic() > deadline:
                raise _not_ready(
                    "Nothing recent on /joint_states names the six joints of the arm.",
                    "Start the robot's driver, or remap the topic.",
                )
            time.sleep(0.02)
        return np.array([self._joints[name] for name in JOINTS])

    def check(self) -> None:
        """Return when the arm can be moved.

        Raises:
            RoboReferError: ROBOT_NOT_READY, with what is missing.
        """
        if self._list is not None:
            silence = _not_ready(
                "The controller manager does not answer.", "Check that the driver runs."
            )
            if not self._list.wait_for_service(_ANSWER_S):
                raise silence
            future = self._side.call(lambda: self._list.call_async(self._request()))
            answer = wait_for_answer(future, Future(), _ANSWER_S, silence)
            judge_controllers({each.name: each.state for each in answer.controller},
                              self._controller)  # fmt: skip
        if self._program_topic and not self._is_playing():
            known = "nobody says whether" if self._plays is None else "it does not say that"
            raise _not_ready(
                f"On {self._program_topic} {known} the robot's program plays.",
                "Press play on the pendant (External Control); with mock hardware, set the "
                "parameter program_topic to ''.",
            )

    def _is_playing(self) -> bool:
        deadline = time.monotonic() + _ARRIVE_S
        while not self._plays and time.monotonic() < deadline:
            time.sleep(0.02)
        return bool(self._plays)

    def _on_joints(self, message: JointState) -> None:
        named = dict(zip(message.name, message.position, strict=False))
        if all(name in named for name in JOINTS):
            self._joints, self._heard_s = named, time.monotonic()

    def _on_program(self, message: Bool) -> None:
        self._plays = message.data


def judge_controllers(states: Mapping[str, str], wanted: str) -> None:
    """Return when a controller is active.

    Args:
        states: of all controllers, by their name.
        wanted: name of the one.

    Raises:
        RoboReferError: ROBOT_NOT_READY, naming those that are.
    """
    if states.get(wanted) == "active":
        return
    active = ", ".join(sorted(name for name, state in states.items() if state == "active"))
    state = f"is {states[wanted]}" if wanted in states else "does not exist"
    raise _not_ready(
        f"The controller {wanted} {state}; active are: {active or 'none'}.",
        "Activate it, or name another one with the parameter controller.",
    )


def _not_ready(message: str, remedy: str) -> RoboReferError:
    return RoboReferError(ErrorCode.ROBOT_NOT_READY, message, remedy)
