"""The goals of an action server that are being worked on, and who has withdrawn them."""

from __future__ import annotations

import time
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Any

from robo_refer.errors import ErrorCode

BY_CLIENT = "cancelled by the client"
_NOTED_S = 30.0


def withdraw(withdrawn: Future[str], why: str) -> None:
    """Give something up; the first reason counts."""
    with suppress(InvalidStateError):
        withdrawn.set_result(why)


class OpenGoals:
    """For several threads; a goal may be cancelled before the callback that works on it begins."""

    def __init__(self) -> None:
        self._withdrawn: dict[bytes, Future[str]] = {}

    def withdrawn(self, goal: Any) -> Future[str]:
        """Return what is done, with who did it, when nobody wants the goal any more."""
        return self._withdrawn.setdefault(_id(goal), Future())

    def cancel(self, goal: Any) -> None:
        """Withdraw a goal, as its client wants."""
        withdraw(self.withdrawn(goal), BY_CLIENT)

    def withdraw_all(self, why: str) -> None:
        """Withdraw every goal."""
        for withdrawn in list(self._withdrawn.values()):
            withdraw(withdrawn, why)

    def is_cancelled(self, goal: Any) -> bool:
        """Tell whether its client has withdrawn it, once rclpy has noted it too.

        It does so only after it has asked us, and does not let us end the goal so before.
        """
        withdrawn = self.withdrawn(goal)
        if not withdrawn.done() or withdrawn.result() != BY_CLIENT:
            return False
        deadline = time.monotonic() + _NOTED_S
        while not goal.is_cancel_requested and time.monotonic() < deadline:
            time.sleep(0.001)
        return bool(goal.is_cancel_requested)

    def finish(self, goal: Any, error_code: int) -> None:
        """End a goal as what became of it demands: cancelled by its client, failed, or done."""
        if error_code == ErrorCode.CANCELLED and self.is_cancelled(goal):
            goal.canceled()
        elif error_code:
            goal.abort()
        else:
            goal.succeed()

    def forget(self, goal: Any) -> None:
        """Drop a goal that has ended."""
        self._withdrawn.pop(_id(goal), None)


def _id(goal: Any) -> bytes:
    return bytes(goal.goal_id.uuid)
