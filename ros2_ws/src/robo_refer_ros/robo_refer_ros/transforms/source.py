"""Where one frame was in another at a moment: through tf2 where it is installed, else our listener.

Both give the same answers and the same errors; which one is used is said in the log at start.
"""

from __future__ import annotations

import time
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.time import Time

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import from_quaternion

Array = NDArray[np.float64]
_POLL_S = 0.01


class TransformSource(Protocol):
    """Answers where frames were."""

    name: str

    def lookup(self, target: str, source: str, stamp_ns: int, timeout_s: float) -> Array:
        """Return the 4x4 `T_target_source` at a moment, waited for at most `timeout_s` seconds.

        Raises:
            RoboReferError: TF_ERROR when a frame is unknown, the two are not connected, or the
                moment is before or after what is known.
        """
        ...

    def clear(self) -> None:
        """Forget everything but static transforms, after time has jumped."""
        ...

    def close(self) -> None:
        """Stop listening."""
        ...


def open_transform_source(node: Node, cache_s: float) -> TransformSource:
    """Return what this installation offers, listening already."""
    if find_spec("tf2_ros") is not None:
        return Tf2Source(node, cache_s)
    from robo_refer_ros.transforms.listener import TransformListener

    return TransformListener(node, cache_s)


def tf_error(message: str) -> RoboReferError:
    """Return a TF_ERROR with what usually helps."""
    return RoboReferError(
        ErrorCode.TF_ERROR,
        message,
        "Check target_frame, that robot_state_publisher runs, and that all use the same clock.",
    )


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
