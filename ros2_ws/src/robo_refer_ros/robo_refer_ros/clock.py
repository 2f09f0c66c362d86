"""Time that jumps back, or becomes simulated: what was remembered of it has not happened yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.clock import ClockChange, JumpThreshold
from rclpy.duration import Duration
from rclpy.node import Node


def watch_clock(node: Node, forget: Callable[[], None]) -> Callable[[], None]:
    """Call a function whenever a node's time has jumped.

    Args:
        node: whose clock it is.
        forget: called after a jump back, and when time becomes simulated or real.

    Returns:
        What ends that; must be kept as long as the clock runs. It holds the only reference to
        what rclpy calls by its address: without it, a jump calls freed memory.
    """

    def on_jump(jump: Any) -> None:
        if jump.clock_change == ClockChange.ROS_TIME_NO_CHANGE and jump.delta.nanoseconds >= 0:
            return
        forget()
        node.get_logger().warning("Time has jumped: what was seen before is forgotten.")

    threshold = JumpThreshold(
        min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
    )
    handle = node.get_clock().create_jump_callback(threshold, post_callback=on_jump)
    end: Callable[[], None] = handle.unregister
    return end
