"""A UR driver in a process of its own: `python fake_ur.py FOLDER`. No robot, no gravity.

FOLDER/mode says what it does with the next path: follow, reject, reject_retreat (only what comes
after a path that was followed), abort, silent (accepts, and never answers), stubborn (silent, and
no cancellation is confirmed), unstoppable (silent, and every cancellation is rejected), endless
(silent, and goes on when a cancellation is confirmed). FOLDER/program says whether the robot's
program plays: true, false. FOLDER/urdf, if there, is published. FOLDER/events gets a line for
everything that it was told.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import rclpy
from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String

from robo_refer.robots.ur5 import JOINTS, READY_RAD

ACTION = "/scaled_joint_trajectory_controller/follow_joint_trajectory"
FASTER = 10.0
GO_ON = ("unstoppable", "endless")


class FakeUr(Node):
    """Obeys what the files in its folder say."""

    def __init__(self, folder: Path) -> None:
        super().__init__("fake_ur")
        self._folder = folder
        self._joints = list(READY_RAD)
        self._lock = threading.Lock()
        group = ReentrantCallbackGroup()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._states = self.create_publisher(JointState, "/joint_states", 10)
        self._program = self.create_publisher(
            Bool, "/io_and_status_controller/robot_program_running", latched
        )
        if (folder / "urdf").exists():
            description = self.create_publisher(String, "/robot_description", latched)
            description.publish(String(data=self._says("urdf")))
        self.create_timer(0.05, self._publish, callback_group=group)
        self._server = ActionServer(
            self,
            FollowJointTrajectory,
            ACTION,
            self._execute,
            callback_group=group,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )

    def _says(self, name: str) -> str:
        return (self._folder / name).read_text().strip()

    def _note(self, event: str, **more: Any) -> None:
        with self._lock, (self._folder / "events").open("a") as file:
            file.write(json.dumps({"event": event, **more}) + "\n")

    def _publish(self) -> None:
        # Drivers name joints in whatever order.
        pairs = sorted(zip(JOINTS, self._joints, strict=True))
        state = JointState(name=[n for n, _ in pairs], position=[float(q) for _, q in pairs])
        self._states.publish(state)
        self._program.publish(Bool(data=self._says("program") == "true"))

    def _on_goal(self, goal: FollowJointTrajectory.Goal) -> GoalResponse:
        mode = self._says("mode")
        rejects = mode == "reject" or (mode == "reject_retreat" and self._has_arrived())
        self._note("rejected" if rejects else "accepted")
        return GoalResponse.REJECT if rejects else GoalResponse.ACCEPT

    def _on_cancel(self, goal: Any) -> CancelResponse:
        self._note("cancelled")
        mode = self._says("mode")
        if mode == "stubborn":
            time.sleep(30.0)
        return CancelResponse.REJECT if mode == "unstoppable" else CancelResponse.ACCEPT

    def _has_arrived(self) -> bool:
        return '"arrived"' in self._says("events")

    def _execute(self, goal: Any) -> FollowJointTrajectory.Result:
        result = FollowJointTrajectory.Result()
        trajectory = goal.request.trajectory
        assert trajectory.joint_names == list(JOINTS)
        mode = self._says("mode")
        if mode == "abort":
            result.error_code = result.PATH_TOLERANCE_VIOLATED
            result.error_string = "elbow_joint path error 0.4"
            goal.abort()
            return result
        if mode in GO_ON:
            while self._says("mode") == mode and rclpy.ok():
                time.sleep(0.02)
            goal.abort()
            return result
        clock_s = 0.0
        for point in trajectory.points:
            at_s = point.time_from_start.sec + point.time_from_start.nanosec / 1e9
            time.sleep((at_s - clock_s) / FASTER)
            clock_s = at_s
            while mode in ("silent", "stubborn") and not goal.is_cancel_requested:
                time.sleep(0.02)
            if goal.is_cancel_requested:
                goal.canceled()
                return result
            self._joints = list(point.positions)
        self._note("arrived", joints=self._joints)
        goal.succeed()
        return result


def main() -> None:
    rclpy.init()
    node = FakeUr(Path(sys.argv[1]))
    executor = MultiThreadedExecutor(6)
    executor.add_node(node)
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        executor.spin()


if __name__ == "__main__":
    main()
