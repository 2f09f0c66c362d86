"""Listens to /tf and /tf_static where tf2 is not installed."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from robo_refer_ros.transforms.buffer import LookupFailedError, TransformBuffer
from robo_refer_ros.transforms.source import tf_error

Array = NDArray[np.float64]
_QUEUE = 100
_SHORTEST_QUATERNION = 1e-6
# How long after a jump messages from before it may arrive, in real time; and how far ahead of
# the new time a transform must be to be one of them (some publishers are ahead by a little).
_UNDER_WAY_S = 2.0
_AHEAD_NS = 1_000_000_000


class TransformListener:
    """A `TransformSource` that needs no tf2.

    Args:
        node: that subscribes.
        cache_s: how long transforms are kept.
    """

    name = "the listener of robo_refer_ros (tf2_ros is not installed)"

    def __init__(self, node: Node, cache_s: float) -> None:
        self._node = node
        self._buffer = TransformBuffer(cache_s)
        self._bad: set[str] = set()
        self._cleared_s = -_UNDER_WAY_S
        group = MutuallyExclusiveCallbackGroup()
        latched = QoSProfile(depth=_QUEUE, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions = [
            node.create_subscription(
                TFMessage, "/tf", self._on_moving, QoSProfile(depth=_QUEUE), callback_group=group
            ),
            node.create_subscription(
                TFMessage, "/tf_static", self._on_static, latched, callback_group=group
            ),
        ]

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> Array:
        """See `TransformSource.lookup`."""
        try:
            return self._buffer.lookup(target, source, stamp_ns, timeout_s)
        except LookupFailedError as error:
            raise tf_error(str(error)) from None

    def clear(self) -> None:
        """See `TransformSource.clear`."""
        self._cleared_s = time.monotonic()
        self._buffer.clear()

    def close(self) -> None:
        """See `TransformSource.close`."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _on_moving(self, message: TFMessage) -> None:
        self._add(message, static=False)

    def _on_static(self, message: TFMessage) -> None:
        self._add(message, static=True)

    def _add(self, message: TFMessage, *, static: bool) -> None:
        for stamped in message.transforms:
            parent, child = stamped.header.frame_id.lstrip("/"), stamped.child_frame_id.lstrip("/")
            t, q = stamped.transform.translation, stamped.transform.rotation
            pq = np.array([t.x, t.y, t.z, q.w, q.x, q.y, q.z])
            length = float(np.linalg.norm(pq[3:]))
            if not (np.isfinite(pq).all() and length > _SHORTEST_QUATERNION and parent != child):
                self._report_bad(child)
                continue
            pq[3:] /= length
            stamp = stamped.header.stamp
            stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
            if not static and self._is_left_over(stamp_ns):
                continue
            self._buffer.add(parent, child, stamp_ns, pq, static=static)

    def _is_left_over(self, stamp_ns: int) -> bool:
        """Tell whether a transform was under way when time jumped back.

        Beside it, all that come until its moment is reached again would be too old to keep.
        """
        if time.monotonic() - self._cleared_s >= _UNDER_WAY_S:
            return False
        return stamp_ns > int(self._node.get_clock().now().nanoseconds) + _AHEAD_NS

    def _report_bad(self, child: str) -> None:
        if child not in self._bad:
            self._bad.add(child)
            self._node.get_logger().warning(f"Ignoring transforms of '{child}': not a pose.")
