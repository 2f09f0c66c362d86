"""What both adapters share: one reach at a time, and nothing moves that nobody wants any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from robo_refer_msgs.action import Reach
from robo_refer_robots.adapter import Adapter, Plan
from robo_refer_robots.settings import AdapterSettings
from robo_refer_robots.waiting import Stopped
from robot_process import target

from robo_refer.errors import ErrorCode
from robo_refer.robots.path import JointPath
from robo_refer.robots.target import Target

COME_S = 60.0
PATH = JointPath(("a",), np.array([1.0]), np.zeros((1, 1)), np.zeros((1, 1)))


class FakeAdapter(Adapter):
    """Moves until it is stopped, or fails to plan."""

    def __init__(self) -> None:
        self.moves, self.is_defective = threading.Event(), False
        super().__init__("fake", AdapterSettings)
        self._take_over(AdapterSettings(dry_run=False))

    def plan(self, target: Target, now_s: float) -> Plan:
        if self.is_defective:
            raise ZeroDivisionError
        return Plan({}, PATH)

    def check(self) -> None:
        pass

    def move(self, plan: Plan, stopped: Future[str], on_stage: Callable[[str], None]) -> None:
        self.moves.set()
        raise Stopped(stopped.result(COME_S))


class FakeGoal:
    """A goal of the action server."""

    def __init__(self, number: int = 1) -> None:
        self.goal_id = SimpleNamespace(uuid=[number] * 16)
        self.request = Reach.Goal(target=target(0.4, 0.0, 0.1))
        self.is_cancel_requested = False
        self.ended: list[str] = []

    def publish_feedback(self, _: Any) -> None:
        pass

    def abort(self) -> None:
        self.ended.append("aborted")

    def canceled(self) -> None:
        assert self.is_cancel_requested, "rclpy would raise"
        self.ended.append("canceled")


@pytest.fixture
def adapter(ros: None) -> Iterator[FakeAdapter]:
    adapter = FakeAdapter()
    yield adapter
    adapter.end()
    adapter.destroy_node()


def moving(adapter: FakeAdapter, goal: FakeGoal) -> Future[Reach.Result]:
    result: Future[Reach.Result] = Future()
    threading.Thread(target=lambda: result.set_result(adapter._on_goal(goal)), daemon=True).start()
    assert adapter.moves.wait(COME_S)
    return result


def cancel(adapter: FakeAdapter, goal: FakeGoal) -> None:
    """Do what rclpy does, in its order."""
    adapter._on_cancel(goal)
    goal.is_cancel_requested = True


def test_a_defect_fails_one_goal(adapter: FakeAdapter) -> None:
    adapter.is_defective = True
    for _ in range(2):  # it is free again
        goal = FakeGoal()
        result = adapter._on_goal(goal)
        assert (result.error_code, result.moved) == (ErrorCode.UNKNOWN, False)
        assert goal.ended == ["aborted"]


def test_one_reach_at_a_time(adapter: FakeAdapter) -> None:
    first, second = FakeGoal(1), FakeGoal(2)
    result = moving(adapter, first)
    assert adapter._on_goal(second).error_code == ErrorCode.BUSY
    cancel(adapter, second)  # is not the one that moves
    assert not result.done()
    cancel(adapter, first)
    assert result.result(COME_S).error_code == ErrorCode.CANCELLED
    assert (first.ended, second.ended) == (["canceled"], ["aborted"])


def test_a_cancellation_before_the_goal_has_begun_moves_nothing(adapter: FakeAdapter) -> None:
    goal = FakeGoal()
    cancel(adapter, goal)
    result = adapter._on_goal(goal)
    assert (result.error_code, result.moved) == (ErrorCode.CANCELLED, False)
    assert goal.ended == ["canceled"]
    assert not adapter.moves.is_set()


def test_an_adapter_that_ends_moves_nothing_more(adapter: FakeAdapter) -> None:
    first, second = FakeGoal(1), FakeGoal(2)
    result = moving(adapter, first)
    adapter.end()
    assert result.result(COME_S).error_code == ErrorCode.CANCELLED
    assert first.ended == ["aborted"], "the client did not cancel it"
    adapter.moves.clear()
    assert adapter._on_goal(second).error_code == ErrorCode.CANCELLED
    assert not adapter.moves.is_set()
