"""Runs a node as a process: signals, threads, and callbacks that fail."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

import rclpy
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.executors import Executor, ExternalShutdownException, MultiThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from robo_refer.errors import RoboReferError

NodeKind = TypeVar("NodeKind", bound=Node)

_THREADS = 8
_STOP_TIMEOUT_S = 5.0


def run() -> None:
    """Run the node that answers instructions; see `serve`."""
    from robo_refer_ros.refer_node import ReferNode

    serve(ReferNode, ReferNode.start, ReferNode.end)


def serve(
    make: Callable[[], NodeKind],
    started: Callable[[NodeKind], Any],
    ending: Callable[[NodeKind], Any],
) -> None:
    """Run a node until SIGINT or SIGTERM; no callback that fails ends it.

    Args:
        make: makes it.
        started: is called when it spins, in a thread of its own.
        ending: is called before it stops, while it still spins.
    """
    stop, ended = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = make()
    except InvalidParameterTypeException as error:
        rclpy.shutdown()
        sys.exit(f"A parameter has the wrong type (3 is no 3.0): {error}")
    except RoboReferError as error:
        rclpy.shutdown()
        sys.exit(str(error))
    executor = MultiThreadedExecutor(_THREADS)
    executor.add_node(node)
    spinning = threading.Thread(target=spin, args=(executor, node, ended), daemon=True)
    spinning.start()
    starting = threading.Thread(target=started, args=(node,), daemon=True)
    starting.start()
    stop.wait()
    ending(node)
    starting.join(_STOP_TIMEOUT_S)
    ended.set()
    executor.shutdown(timeout_sec=_STOP_TIMEOUT_S)
    spinning.join(_STOP_TIMEOUT_S)
    node.destroy_node()
    rclpy.shutdown()


def spin(executor: Executor, node: Node, ended: threading.Event) -> None:
    """Run callbacks until the executor is shut down; one that fails is logged, the others go on.

    Args:
        executor: of the node.
        node: whose log it is.
        ended: set before the executor is shut down.
    """
    while rclpy.ok() and not ended.is_set():
        try:
            executor.spin()
        except ExternalShutdownException:
            return
        except Exception:  # of a callback: the others go on
            if not ended.is_set():  # else of the executor, which has been taken apart
                node.get_logger().error(traceback.format_exc())
