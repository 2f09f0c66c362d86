"""A client in a few lines, for programs that are no ROS nodes themselves.

>>> with ReferClient() as client:
...     client.wait_until_ready()
...     found = client.refer("the red mug left of the bowl", target_frame="base_link")
...     print(found.position_m, found.header.frame_id)

To go on meanwhile: `pending = client.ask(...)`, then `pending.done()`, `pending.result()`,
`pending.cancel()`.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from numpy.typing import NDArray
from rclpy.action import ActionClient
from robo_refer_msgs.action import Refer
from robo_refer_msgs.msg import ReferResult, ReferTarget
from std_msgs.msg import Header

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_ros.messages import duration
from robo_refer_ros.side_node import SideNode

_POLL_S = 0.05
_STATE_S = 5.0


@dataclass(frozen=True)
class Found:
    """Where it is.

    Attributes:
        position_m: (3,) of the best point in the frame `header.frame_id`, metres; None where it
            has no depth.
        header: frame of the position, and capture time of the image.
        targets: all points, best first.
        message: everything.
    """

    position_m: NDArray[np.float64] | None
    header: Header
    targets: list[ReferTarget]
    message: ReferResult


class Pending:
    """A question that is being answered."""

    def __init__(self) -> None:
        self._outcome: Future[Refer.Result] = Future()
        self._lock = threading.Lock()
        self._goal: Any = None
        self._is_cancelled = False

    def done(self) -> bool:
        """Tell whether there is a result."""
        return self._outcome.done()

    def result(self, timeout_s: float | None = None) -> Found:
        """Return the answer; wait for it, at most `timeout_s` seconds.

        Raises:
            RoboReferError: why there is none, with the node's code; CANCELLED after `cancel`;
                BACKEND_TIMEOUT when the time is over (the node goes on).
        """
        result = self.raw_result(timeout_s)
        if result.error_code:
            raise RoboReferError(code_of(result.error_code), result.error_msg, "")
        targets = list(result.result.targets)
        p = targets[0].position
        position = None if math.isnan(p.x) else np.array([p.x, p.y, p.z])
        return Found(position, targets[0].header, targets, result.result)

    def raw_result(self, timeout_s: float | None = None) -> Refer.Result:
        """Return the action's result, also that of a failure: it holds what was found so far.

        Raises:
            RoboReferError: BUSY when the goal was refused; BACKEND_TIMEOUT.
        """
        try:
            return self._outcome.result(timeout_s)
        except FutureTimeoutError:
            raise RoboReferError(
                ErrorCode.BACKEND_TIMEOUT,
                f"There is no answer after {timeout_s:g} s.",
                "Wait longer, or cancel it.",
            ) from None

    def cancel(self) -> None:
        """Give the question up; `result` then raises CANCELLED at once."""
        with self._lock:
            self._is_cancelled = True
            if self._goal is not None:
                self._goal.cancel_goal_async()

    def _sent(self, sending: Any) -> None:
        goal = sending.result()
        if not goal.accepted:
            self._outcome.set_exception(
                RoboReferError(ErrorCode.BUSY, "The node refused the goal.", "Ask again.")
            )
            return
        goal.get_result_async().add_done_callback(self._finished)
        with self._lock:
            self._goal = goal
            if self._is_cancelled:
                goal.cancel_goal_async()

    def _finished(self, getting: Any) -> None:
        response = getting.result()
        if is_lost(response):
            self._outcome.set_exception(
                RoboReferError(ErrorCode.UNKNOWN, "The node lost the goal.", "Ask again.")
            )
        else:
            self._outcome.set_result(response.result)


class ReferClient:
    """Asks the node. It spins a small node of its own in a thread.

    Args:
        server: full name of the node that answers.

    Attributes:
        node: the small node; further clients and publishers may be made on it.
        side: spins it; clients of the node are called through it.
    """

    def __init__(self, server: str = "/refer") -> None:
        self.side = SideNode(f"refer_client_{os.getpid()}_{id(self):x}")
        self._server, self.node = server, self.side.node
        self._action = ActionClient(self.node, Refer, f"{server}/refer")
        self._get_state = self.node.create_client(GetState, f"{server}/get_state")

    def wait_until_ready(self, timeout_s: float = 30.0) -> None:
        """Return when the node is active.

        Raises:
            RoboReferError: NOT_ACTIVE when it is not after `timeout_s` seconds.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            left_s = max(0.0, deadline - time.monotonic())
            if self._action.wait_for_server(left_s) and self._is_active(min(left_s, _STATE_S)):
                return
            time.sleep(_POLL_S)
        raise RoboReferError(
            ErrorCode.NOT_ACTIVE,
            f"{self._server} is not active after {timeout_s:g} s.",
            "Start, configure and activate it; both sides need the same ROS_DOMAIN_ID.",
        )

    def refer(self, instruction: str, timeout_s: float | None = 60.0, **goal: Any) -> Found:
        """Return where it is; see `ask` for the fields of a goal.

        Raises:
            RoboReferError: why there is no answer. After `timeout_s` the question is cancelled.
        """
        pending = self.ask(instruction, **goal)
        try:
            return pending.result(timeout_s)
        finally:
            if not pending.done():
                pending.cancel()

    def ask(
        self,
        instruction: str,
        *,
        max_age_s: float = 0.0,
        on_stage: Callable[[str], None] | None = None,
        **goal: Any,
    ) -> Pending:
        """Ask, and return at once.

        Args:
            instruction: any text.
            max_age_s: oldest image that will do; 0 is the node's parameter.
            on_stage: called, from another thread, with the name of every stage.
            goal: further fields of `Refer.action`: `target_frame`, `max_targets`,
                `require_depth` ...
        """
        message = Refer.Goal(instruction=instruction, max_image_age=duration(max_age_s), **goal)
        pending = Pending()
        feedback = None
        if on_stage is not None:

            def feedback(said: Any) -> None:
                on_stage(said.feedback.stage)

        def send() -> None:
            sending = self._action.send_goal_async(message, feedback_callback=feedback)
            sending.add_done_callback(pending._sent)

        self.side.post(send)
        return pending

    def close(self) -> None:
        """Stop; questions that are open stay open."""
        self.side.close(self._action)

    def __enter__(self) -> ReferClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _is_active(self, timeout_s: float) -> bool:
        asking = self.side.call(lambda: self._get_state.call_async(GetState.Request()))
        answered = threading.Event()
        asking.add_done_callback(lambda _: answered.set())
        if not answered.wait(timeout_s):
            self._get_state.remove_pending_request(asking)  # lost, or the node is still configuring
            return False
        return bool(asking.result().current_state.id == State.PRIMARY_STATE_ACTIVE)


def is_lost(response: Any) -> bool:
    """Tell whether an action's response is none: the node that took the goal is not the same."""
    succeeded = response.status == GoalStatus.STATUS_SUCCEEDED
    return not (succeeded or response.result.error_code)


def code_of(number: int) -> ErrorCode:
    """Return the code that a result has."""
    try:
        return ErrorCode(number)
    except ValueError:  # of a newer node
        return ErrorCode.UNKNOWN
