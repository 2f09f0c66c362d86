"""Asks an adapter to reach for a target, from any Python program.

>>> with ReferClient() as refer, ReachClient("/ur5") as robot:
...     found = refer.refer("the red mug")
...     done = robot.reach(found.targets[0])
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType

from rclpy.action import ActionClient
from robo_refer_msgs.action import Reach
from robo_refer_msgs.msg import ReferTarget
from robo_refer_ros.client import code_of, is_lost
from robo_refer_ros.side_node import SideNode

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_robots.waiting import accepted_goal, wait_for_answer

_ACCEPT_S = 10.0


class ReachClient:
    """Speaks with one adapter.

    Args:
        robot: full name of its node.
    """

    def __init__(self, robot: str) -> None:
        self._robot = robot
        self._side = SideNode(f"reach_client_{os.getpid()}_{id(self):x}")
        self._action = ActionClient(self._side.node, Reach, f"{robot}/reach")

    def reach(
        self,
        target: ReferTarget,
        timeout_s: float = 120.0,
        *,
        on_stage: Callable[[str], None] = lambda stage: None,
        stopped: Future[str] | None = None,
    ) -> Reach.Result:
        """Return the plan, and whether it was carried out.

        Args:
            target: as the node of RoboRefer has found or tracked it.
            timeout_s: seconds for all of it.
            on_stage: called, from another thread, with the name of every stage.
            stopped: set it, from any thread, to stop the robot; so does Ctrl-C.

        Raises:
            RoboReferError: why the robot did not reach it, with the adapter's code; CANCELLED
                when it was stopped. After `timeout_s` it is stopped, and MOTION_TIMEOUT raised.
        """
        silence = RoboReferError(
            ErrorCode.MOTION_TIMEOUT,
            f"{self._robot} did not answer in time; it has been asked to stop.",
            "Look after the robot, and at the adapter's log.",
        )
        if not self._action.wait_for_server(_ACCEPT_S):
            raise RoboReferError(
                ErrorCode.ROBOT_NOT_READY,
                f"There is no adapter {self._robot}.",
                "Start it (robo-refer ros ur5); both sides need the same ROS_DOMAIN_ID.",
            )
        stopped = stopped or Future()
        sent = self._side.call(
            lambda: self._action.send_goal_async(
                Reach.Goal(target=target), lambda said: on_stage(said.feedback.stage)
            )
        )
        handle = accepted_goal(sent, _ACCEPT_S, silence)
        if not handle.accepted:
            raise RoboReferError(
                ErrorCode.MOTION_REJECTED, f"{self._robot} refused the goal.", "Ask again."
            )
        stopped.add_done_callback(lambda _: self._side.post(handle.cancel_goal_async))
        try:
            getting = self._side.call(handle.get_result_async)
            response = wait_for_answer(getting, Future(), timeout_s, silence)
        except BaseException:
            self._side.call(handle.cancel_goal_async)
            raise
        result = response.result
        if is_lost(response):
            raise RoboReferError(
                ErrorCode.UNKNOWN,
                f"{self._robot} has lost the goal: it has been started again, or failed.",
                "Look after the robot, and at the adapter's log.",
            )
        if result.error_code:
            raise RoboReferError(code_of(result.error_code), result.error_msg, "")
        return result

    def close(self) -> None:
        """Leave the graph; the adapter goes on with what it does."""
        self._side.close(self._action)

    def __enter__(self) -> ReachClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
