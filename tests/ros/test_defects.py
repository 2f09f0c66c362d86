"""A defect of our own: UNKNOWN for whoever asked, a traceback in the log, and all goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from fake_camera import wait_for
from robo_refer_msgs.action import Reach
from robo_refer_msgs.srv import LiftPoints
from robo_refer_robots.adapter import Adapter, Plan
from robo_refer_robots.settings import AdapterSettings
from robo_refer_ros import refer_node
from robo_refer_ros.asking import Question
from robo_refer_ros.refer_node import ReferNode
from robot_process import target

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.target import Target


def fail(*_: Any) -> Any:
    raise ZeroDivisionError


@pytest.fixture
def node(ros: None) -> Iterator[ReferNode]:
    node = ReferNode()
    yield node
    node.destroy_node()


def test_of_an_answer(node: ReferNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node._desk, "_outcome", fail)
    for _ in range(2):  # the desk is free again
        result = node._answer(Question("1", "the wall"))
        assert result.error_code == ErrorCode.UNKNOWN
        assert "please report it" in result.error_msg
    assert node._counts.failed == 2


def test_of_lifting(node: ReferNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refer_node, "lift", fail)
    node._desk.open(SimpleNamespace())  # type: ignore[arg-type]
    response = node._on_lift_points(LiftPoints.Request(), LiftPoints.Response())
    assert response.error_code == ErrorCode.UNKNOWN


class DefectiveAdapter(Adapter):
    """Has no plan."""

    def plan(self, target: Target, now_s: float) -> Plan:
        return fail()  # type: ignore[no-any-return]

    def check(self) -> None:
        pass

    def move(self, plan: Plan, stopped: Future[str], on_stage: Callable[[str], None]) -> None:
        pass


class FakeGoal:
    """A goal of the action server."""

    def __init__(self) -> None:
        self.goal_id = SimpleNamespace(uuid=[7] * 16)
        self.request = Reach.Goal(target=target(0.4, 0.0, 0.1))
        self.is_cancel_requested = False
        self.ended: list[str] = []

    def publish_feedback(self, _: Any) -> None:
        pass

    def abort(self) -> None:
        self.ended.append("aborted")


def test_of_an_adapter(ros: None) -> None:
    adapter = DefectiveAdapter("defective", AdapterSettings)
    for _ in range(2):  # it is free again
        goal = FakeGoal()
        result = adapter._on_goal(goal)
        assert (result.error_code, result.moved) == (ErrorCode.UNKNOWN, False)
        assert goal.ended == ["aborted"]
    adapter.end()
    adapter.destroy_node()


def test_a_node_that_ends_gives_up_the_model_that_it_loads(
    node: ReferNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    class EndlessBackend:
        pid = None

        def __init__(self, *_: Any) -> None:
            self.closed = threading.Event()

        def start(self) -> str:
            assert self.closed.wait(60.0)
            raise RoboReferError(ErrorCode.BACKEND_UNREACHABLE, "It was ended.", "Never mind.")

        def close(self) -> None:
            self.closed.set()

    monkeypatch.setattr(refer_node, "Backend", EndlessBackend)
    starting = threading.Thread(target=node.start, daemon=True)
    starting.start()
    wait_for(lambda: node._is_loading)
    node.end()
    starting.join(60.0)
    assert node.state == "finalized"
    node.end()  # is over at once
