"""A node whose clients send from the thread that receives.

rclpy drops a response that arrives before the sending thread has noted that it waits for one. Of a
controller, that would be an accepted motion that nobody knows of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

Sent = TypeVar("Sent")
_TURN_S = 10.0


class SideNode:
    """Spins a small node in a thread of its own.

    Args:
        name: of the node.
    """

    def __init__(self, name: str) -> None:
        self.node = rclpy.create_node(name)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)
        self._thread.start()

    def call(self, send: Callable[[], Sent]) -> Sent:
        """Return what `send` returns; it is called in the thread that receives."""
        sent: Future[Sent] = Future()

        def run() -> None:
            try:
                sent.set_result(send())
            except Exception as error:
                sent.set_exception(error)

        self._executor.create_task(run)
        return sent.result(_TURN_S)

    def close(self, *clients: Any) -> None:
        """Leave the graph; action clients are destroyed when nothing uses them any more."""
        self._executor.shutdown(timeout_sec=5.0)
        self._thread.join(5.0)
        for client in clients:
            client.destroy()
        self.node.destroy_node()

    def _spin(self) -> Any:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return
