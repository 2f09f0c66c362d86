"""Collects what arrives on topics."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from rclpy.node import Node

ARRIVE_S = 60.0


class Listening:
    """Subscribes for a `with` block, and only goes on when it is connected.

    Args:
        node: that subscribes.
        kind: type of the messages.
        topic: its name.
        qos: depth or profile.
        publishers: so many must be there; 0 does not wait.
    """

    def __init__(
        self, node: Node, kind: Any, topic: str, qos: Any = 10, publishers: int = 1
    ) -> None:
        self._node, self._topic, self._publishers = node, topic, publishers
        self._changed = threading.Condition()
        self.messages: list[Any] = []
        self._subscription = node.create_subscription(kind, topic, self._on, qos)

    def wait(self, wanted: Any = lambda message: True, timeout_s: float = ARRIVE_S) -> Any:
        """Return the first message that is wanted, now or when it comes.

        Raises:
            TimeoutError: none came.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: any(map(wanted, self.messages)), timeout_s):
                raise TimeoutError(f"{self._topic}: nothing of that among {self.messages}")
            return next(filter(wanted, self.messages))

    def wait_connected(self, publish: Any) -> None:
        """Let something be published, again and again, until it has come.

        A topic that is not latched loses what is published before its publisher knows of us.
        Whoever was subscribed earlier, from the same node to the same, is known by then too.
        """
        deadline = time.monotonic() + ARRIVE_S
        publish()
        while not self.arrives(1.0):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self._topic}: nothing comes")
            publish()

    def arrives(self, timeout_s: float) -> bool:
        """Tell whether anything has come, waiting for it so long."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.messages), timeout_s)

    def _on(self, message: Any) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def __enter__(self) -> Listening:
        from fake_camera import wait_for

        wait_for(lambda: self._node.count_publishers(self._topic) >= self._publishers)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._node.destroy_subscription(self._subscription)
