"""The three ways to ask: the action, the service, the topic. They end in the same function."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from robo_refer_msgs.action import Refer
from robo_refer_msgs.msg import ReferResult
from robo_refer_msgs.srv import ReferOnce
from std_msgs.msg import String

from robo_refer_ros.asking import Question
from robo_refer_ros.camera.stream import Capture
from robo_refer_ros.messages import seconds
from robo_refer_ros.open_goals import OpenGoals

RESULT_TIMEOUT_S = 10
"""How long the action server keeps a result for a client that has not fetched it yet."""


class Doors:
    """Opens all three.

    Args:
        node: that they belong to.
        answer: answers a question, and takes its time.
        group: callbacks run side by side.
    """

    def __init__(
        self, node: Node, answer: Callable[[Question], ReferResult], group: CallbackGroup
    ) -> None:
        self._node, self._answer = node, answer
        self._numbers = itertools.count(1)
        self._goals = OpenGoals()
        self._action = ActionServer(
            node,
            Refer,
            "~/refer",
            self._on_goal,
            callback_group=group,
            cancel_callback=self._on_cancel,
            result_timeout=RESULT_TIMEOUT_S,
        )
        self._service = node.create_service(
            ReferOnce, "~/refer_once", self._on_refer_once, callback_group=group
        )
        self._topic = node.create_subscription(
            String, "instruction", self._on_instruction, 1, callback_group=group
        )

    def close(self) -> None:
        """Close all three."""
        self._action.destroy()
        self._node.destroy_service(self._service)
        self._node.destroy_subscription(self._topic)

    def _on_goal(self, goal: Any) -> Refer.Result:
        request: Refer.Goal = goal.request
        question = Question(
            id=bytes(goal.goal_id.uuid).hex(),
            instruction=request.instruction,
            target_frame=request.target_frame,
            max_targets=request.max_targets,
            require_depth=request.require_depth,
            max_age_s=seconds(request.max_image_age),
            capture=_capture(request),
            on_stage=lambda stage: goal.publish_feedback(Refer.Feedback(stage=stage)),
            withdrawn=self._goals.withdrawn(goal),
        )
        try:
            result = self._answer(question)
            self._goals.finish(goal, result.error_code)
        finally:
            self._goals.forget(goal)
        return Refer.Result(error_code=result.error_code, error_msg=result.error_msg, result=result)

    def _on_cancel(self, goal: Any) -> CancelResponse:
        self._goals.cancel(goal)
        return CancelResponse.ACCEPT

    def _on_refer_once(
        self, request: ReferOnce.Request, response: ReferOnce.Response
    ) -> ReferOnce.Response:
        question = Question(
            id=f"service-{next(self._numbers)}",
            instruction=request.instruction,
            target_frame=request.target_frame,
            max_targets=request.max_targets,
            require_depth=request.require_depth,
            max_age_s=seconds(request.max_image_age),
        )
        response.result = self._answer(question)
        response.error_code = response.result.error_code
        response.error_msg = response.result.error_msg
        return response

    def _on_instruction(self, message: String) -> None:
        result = self._answer(Question(f"topic-{next(self._numbers)}", message.data))
        if result.error_code:
            self._node.get_logger().warning(f"'{message.data}': {result.error_msg}")


def _capture(request: Refer.Goal) -> Capture | None:
    if not request.use_goal_image:
        return None
    depth = request.depth if request.depth.height else None
    return Capture(request.image, depth, request.camera_info)
