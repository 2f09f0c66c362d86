"""tf2 as a source of transforms, where it is installed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from robo_refer.geometry import from_quaternion
from robo_refer_ros.transforms.source import tf_error

Array = NDArray[np.float64]
_POLL_S = 0.01


class Tf2Source:
    """tf2 of a full ROS 2 installation."""

    name = "tf2_ros"

    def __init__(self, node: Node, cache_s: float) -> None:
        import tf2_ros

        self._error: type[Exception] = tf2_ros.TransformException
        self._buffer: Any = tf2_ros.Buffer(cache_time=Duration(seconds=cache_s))
        self._listener: Any = tf2_ros.TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> Array:
        """See `TransformSource.lookup`."""
        # tf2's own time-out is of the node's clock: while a simulation stands still, it never ends.
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                found = self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns))
                break
            except self._error as error:
                if time.monotonic() >= deadline:
                    raise tf_error(f"{' '.join(str(error).split()).rstrip('.')}.") from error
            time.sleep(_POLL_S)
        q, t = found.transform.rotation, found.transform.translation
        return from_quaternion((q.x, q.y, q.z, q.w), (t.x, t.y, t.z))

    def clear(self) -> None:
        """See `TransformSource.clear`; tf2 keeps its static transforms."""
        self._buffer.clear()

    def close(self) -> None:
        """See `TransformSource.close`."""
        self._listener.unregister()
