"""Cancellations come when they like: before a goal has begun, and before rclpy has noted them."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

from robo_refer_ros.open_goals import BY_CLIENT, OpenGoals


def goal(number: int) -> Any:
    uuid = [number] * 16
    return SimpleNamespace(goal_id=SimpleNamespace(uuid=uuid), is_cancel_requested=False)


def test_a_cancellation_before_the_goal_has_begun() -> None:
    goals, mine, other = OpenGoals(), goal(1), goal(2)
    goals.cancel(mine)
    assert goals.withdrawn(mine).result(0) == BY_CLIENT
    assert not goals.withdrawn(other).done()


def test_the_first_reason_counts_and_is_noted_later() -> None:
    goals, mine = OpenGoals(), goal(1)
    assert not goals.is_cancelled(mine)
    goals.cancel(mine)
    goals.withdraw_all("the end")
    noted = threading.Timer(0.05, setattr, (mine, "is_cancel_requested", True))
    noted.start()
    assert goals.is_cancelled(mine)
    goals.forget(mine)
    assert not goals.withdrawn(mine).done()


def test_what_others_withdraw_is_not_cancelled() -> None:
    goals, mine = OpenGoals(), goal(1)
    withdrawn = goals.withdrawn(mine)
    goals.withdraw_all("the end")
    assert withdrawn.result(0) == "the end"
    assert not goals.is_cancelled(mine)
