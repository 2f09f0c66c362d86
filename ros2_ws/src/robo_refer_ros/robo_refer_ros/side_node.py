"""A small node in a thread of its own, beside another or for programs that are none themselves.

Its clients send from the thread that receives: rclpy drops a response that arrives before the
sending thread has noted that it waits for one. Of a controller, that would be an accepted motion
that nobody knows of.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from robo_refer_ros.running import spin

Sent = TypeVar("Sent")
_TURN_S = 10.0


class SideNode:
    """Spins a small node in a thread of its own; starts ROS if nobody has.

    Args:
        name: of the node.
        options: further ones of `rclpy.create_node`.
    """

    def __init__(self, name: str, **options: Any) -> None:
        self._started_ros = not rclpy.ok()
        if self._started_ros:
            # Ctrl-C stays the program's: what it has asked for can then still be withdrawn.
            rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node(name, **options)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._ended = threading.Event()
        self._thread = threading.Thread(
            target=spin, args=(self._executor, self.node, self._ended), name=name, daemon=True
        )
        self._thread.start()

    def post(self, send: Callable[[], Any]) -> None:
        """Let `send` be called in the thread that receives; wait for nothing."""
        if not self._ended.is_set():
            self._executor.create_task(send)

    def call(self, send: Callable[[], Sent]) -> Sent:
        """Return what `send` returns; it is called in the thread that receives.

        That thread itself, in which callbacks run, must `post`.

        Raises:
            TimeoutError: its turn did not come. It will not be called later, either: a motion that
                nobody waits for must not be asked for.
        """
        sent: Future[Sent] = Future()

        def run() -> None:
            if not sent.set_running_or_notify_cancel():
                return
            try:
                sent.set_result(send())
            except Exception as error:
                sent.set_exception(error)

        self.post(run)
        try:
            return sent.result(_TURN_S)
        except TimeoutError:
            if sent.cancel():
                raise
            return sent.result(_TURN_S)  # it has just begun

    def close(self, *clients: Any) -> None:
        """Leave the graph; action clients are destroyed when nothing uses them any more."""
        self._ended.set()
        self._executor.shutdown(timeout_sec=5.0)
        self._thread.join(5.0)
        for client in clients:
            client.destroy()
        self.node.destroy_node()
        if self._started_ros:
            rclpy.try_shutdown()
