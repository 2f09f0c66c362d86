"""A controller that follows joint trajectories, and what it answers in words."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from action_msgs.msg import GoalStatus
from action_msgs.srv import CancelGoal
from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionClient
from robo_refer_ros.side_node import SideNode

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.path import JointPath
from robo_refer_robots.messages import trajectory
from robo_refer_robots.waiting import accepted_goal, wait_for_answer

_CONNECT_S = 3.0
_ANSWER_S = 5.0
_NAMES = {
    FollowJointTrajectory.Result.INVALID_GOAL: "INVALID_GOAL",
    FollowJointTrajectory.Result.INVALID_JOINTS: "INVALID_JOINTS",
    FollowJointTrajectory.Result.OLD_HEADER_TIMESTAMP: "OLD_HEADER_TIMESTAMP",
    FollowJointTrajectory.Result.PATH_TOLERANCE_VIOLATED: "PATH_TOLERANCE_VIOLATED",
    FollowJointTrajectory.Result.GOAL_TOLERANCE_VIOLATED: "GOAL_TOLERANCE_VIOLATED",
}


class TrajectoryController:
    """Sends paths to a controller and waits until they are done.

    Args:
        side: speaks to it.
        name: of the controller.
        slack_s: how much longer than planned a path may take.
    """

    def __init__(self, side: SideNode, name: str, slack_s: float) -> None:
        self._side, self.name, self._slack_s = side, name, slack_s
        self._client = ActionClient(
            side.node, FollowJointTrajectory, f"/{name}/follow_joint_trajectory"
        )

    def follow(
        self, path: JointPath, stopped: Future[str], on_accepted: Callable[[], None]
    ) -> None:
        """Send a path, and return when the controller says that it has arrived.

        Args:
            path: in radians and seconds.
            stopped: done when it shall stop at once.
            on_accepted: called when the controller has taken the path, or may have.

        Raises:
            RoboReferError: ROBOT_NOT_READY without a controller, MOTION_REJECTED,
                MOTION_FAILED when it gave up, MOTION_TIMEOUT when it is silent.
            Stopped: the controller has confirmed that it stopped.
        """
        if not self._client.wait_for_server(_CONNECT_S):
            raise RoboReferError(
                ErrorCode.ROBOT_NOT_READY,
                f"There is no action /{self.name}/follow_joint_trajectory.",
                "Start the robot's driver, or correct the parameter controller.",
            )
        handle = self._send(path, on_accepted)
        try:
            on_accepted()
            result = self._side.call(handle.get_result_async)
            answer = wait_for_answer(
                result, stopped, float(path.times_s[-1]) + self._slack_s, self._silence("arrive")
            )
        except BaseException:  # whatever it is: nothing that was accepted goes on unnoticed
            self._cancel(handle)
            raise
        self._judge(answer)

    def _send(self, path: JointPath, on_accepted: Callable[[], None]) -> Any:
        goal = FollowJointTrajectory.Goal(trajectory=trajectory(path))
        sent = self._side.call(lambda: self._client.send_goal_async(goal))
        try:
            # Also when it is to be stopped: only what was accepted can be cancelled.
            handle = accepted_goal(sent, _ANSWER_S, self._silence("accept"))
        except BaseException:
            on_accepted()  # nobody knows
            raise
        if not handle.accepted:
            raise RoboReferError(
                ErrorCode.MOTION_REJECTED,
                f"The controller {self.name} rejected the path.",
                "Its log says why: usually it is not active, or has other joints.",
            )
        return handle

    def _cancel(self, handle: Any) -> None:
        """Make the controller stop, and return when the goal has ended.

        Raises:
            RoboReferError: MOTION_TIMEOUT when it does not confirm, refuses, or goes on.
        """
        unconfirmed = RoboReferError(
            ErrorCode.MOTION_TIMEOUT,
            f"The controller {self.name} did not confirm that it stops.",
            "Stop the robot by hand if it still moves.",
        )
        try:
            if _stops(self._ask(handle.cancel_goal_async), handle):
                self._ask(handle.get_result_async)  # anew: that may be what has failed
                return
        except Exception as error:
            raise unconfirmed from error
        raise unconfirmed

    def _ask(self, send: Callable[[], Any]) -> Any:
        """Return the answer to what `send` sends."""
        return wait_for_answer(self._side.call(send), Future(), _ANSWER_S, self._silence("answer"))

    def _judge(self, answer: Any) -> None:
        result = answer.result
        if answer.status == GoalStatus.STATUS_SUCCEEDED and result.error_code == result.SUCCESSFUL:
            return
        if answer.status == GoalStatus.STATUS_CANCELED:
            why = "somebody else cancelled it"
        else:
            why = _NAMES.get(result.error_code, f"error {result.error_code}")
            if result.error_string:
                why += f" ({' '.join(result.error_string.split()).rstrip('.')})"
        raise RoboReferError(
            ErrorCode.MOTION_FAILED,
            f"The controller {self.name} gave up: {why}.",
            "Look for an obstacle or a protective stop; a slower speed helps with tolerances.",
        )

    def _silence(self, what: str) -> RoboReferError:
        return RoboReferError(
            ErrorCode.MOTION_TIMEOUT,
            f"The controller {self.name} did not {what} in time.",
            "Check that the robot's program plays and that its speed slider is not at zero.",
        )


def _stops(response: CancelGoal.Response, handle: Any) -> bool:
    """Whether a controller says that a goal is being cancelled, or has ended already."""
    wanted = bytes(handle.goal_id.uuid)
    return response.return_code == CancelGoal.Response.ERROR_GOAL_TERMINATED or any(
        bytes(goal.goal_id.uuid) == wanted for goal in response.goals_canceling
    )
