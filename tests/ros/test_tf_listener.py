"""Our listener: which transforms it keeps when time jumps back."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from fake_camera import time_message
from geometry_msgs.msg import TransformStamped
from robo_refer_ros.transforms import listener as listening
from robo_refer_ros.transforms.listener import TransformListener
from tf2_msgs.msg import TFMessage

from robo_refer.errors import RoboReferError

S = 10**9


class FakeNode:
    """Keeps the subscriptions' callbacks, and tells the time that it is given."""

    def __init__(self) -> None:
        self.now_s = 100
        self.heard: dict[str, Callable[[TFMessage], None]] = {}

    def create_subscription(
        self, kind: Any, topic: str, callback: Callable[[TFMessage], None], *_: Any, **__: Any
    ) -> None:
        self.heard[topic] = callback

    def get_clock(self) -> Any:
        return SimpleNamespace(now=lambda: SimpleNamespace(nanoseconds=self.now_s * S))

    def publish(self, stamp_s: int, topic: str = "/tf", child: str = "camera") -> None:
        """Publish that a camera stands in the frame of the base."""
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id = "base"
        message.header.stamp = time_message(stamp_s * S)
        self.heard[topic](TFMessage(transforms=[message]))


@pytest.fixture
def node() -> FakeNode:
    return FakeNode()


@pytest.fixture
def listener(node: FakeNode) -> TransformListener:
    return TransformListener(node, cache_s=10.0)


def jump_back(node: FakeNode, listener: TransformListener) -> None:
    for stamp_s in (99, 101):
        node.publish(stamp_s)
    node.publish(0, "/tf_static", "mount")
    node.now_s = 50
    listener.clear()


def test_a_transform_that_was_under_way_does_not_hide_new_ones(
    node: FakeNode, listener: TransformListener
) -> None:
    jump_back(node, listener)
    for stamp_s in (101, 49, 51):
        node.publish(stamp_s)
    listener.lookup("base", "camera", 50 * S, 0.0)
    with pytest.raises(RoboReferError):
        listener.lookup("base", "camera", 100 * S, 0.0)
    listener.lookup("base", "mount", 50 * S, 0.0)


def test_later_a_publisher_may_be_ahead(
    node: FakeNode, listener: TransformListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    jump_back(node, listener)
    monkeypatch.setattr(listening, "_UNDER_WAY_S", 0.0)
    for stamp_s in (99, 101):
        node.publish(stamp_s)
    listener.lookup("base", "camera", 100 * S, 0.0)
