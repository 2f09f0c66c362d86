"""The node in this process: its own defects fail one question, and it ends while it loads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from fake_camera import wait_for
from robo_refer_msgs.srv import LiftPoints
from robo_refer_ros import refer_node
from robo_refer_ros.asking import Question
from robo_refer_ros.refer_node import ReferNode

from robo_refer.errors import ErrorCode, RoboReferError


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
