"""What both adapters share: one reach at a time, and nothing moves that nobody wants any more."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rclpy.clock import JumpHandle
from rclpy.parameter import Parameter
from robo_refer_msgs.action import Reach
from robo_refer_robots.adapter import Adapter, Plan
from robo_refer_robots.settings import AdapterSettings
from robo_refer_robots.waiting import Stopped
from robot_process import target

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.path import JointPath
from robo_refer.robots.target import Target

COME_S = 60.0
PATH = JointPath(("a",), np.array([1.0]), np.zeros((1, 1)), np.zeros((1, 1)))


class FakeAdapter(Adapter):
    """Moves until it is stopped, fails to plan, or is refused by its robot."""

    def __init__(self) -> None:
        self.moves, self.is_defective = threading.Event(), False
        self.refusal: RoboReferError | None = None
        super().__init__("fake", AdapterSettings)
        self._take_over(AdapterSettings(dry_run=False))

    def plan(self, target: Target, now_s: float) -> Plan:
        if self.is_defective:
            raise ZeroDivisionError
        return Plan({}, PATH)

    def check(self) -> None:
        pass

    def move(
        self,
        plan: Plan,
        stopped: Future[str],
        on_stage: Callable[[str], None],
        on_moving: Callable[[], None],
    ) -> None:
        if self.refusal is not None:
            raise self.refusal
        on_moving()
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
    stopped = result.result(COME_S)
    assert (stopped.error_code, stopped.moved) == (ErrorCode.CANCELLED, True)
    assert (first.ended, second.ended) == (["canceled"], ["aborted"])


@pytest.mark.parametrize("code", [ErrorCode.MOTION_REJECTED, ErrorCode.ROBOT_NOT_READY])
def test_what_the_robot_refuses_has_not_moved(adapter: FakeAdapter, code: ErrorCode) -> None:
    adapter.refusal = RoboReferError(code, "No.", "Ask again.")
    result = adapter._on_goal(FakeGoal())
    assert (result.error_code, result.moved) == (code, False)


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


class Transforms:
    """Counts how often they were forgotten."""

    cleared = 0

    def clear(self) -> None:
        self.cleared += 1


def handles() -> list[JumpHandle]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is JumpHandle]


def test_a_time_jump_clears_the_transforms_until_the_adapter_ends(
    ros: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    transforms = Transforms()
    monkeypatch.setattr("robo_refer_robots.adapter.open_transform_source", lambda *_: transforms)
    before = handles()
    adapter = FakeAdapter()
    # Asked before there is a jump: rclpy would call the address of a handle that is gone.
    assert [each for each in handles() if each not in before]
    adapter.set_parameters([Parameter("use_sim_time", value=True)])
    assert transforms.cleared == 1
    adapter.end()
    adapter.set_parameters([Parameter("use_sim_time", value=False)])
    assert transforms.cleared == 1
    adapter.destroy_node()
