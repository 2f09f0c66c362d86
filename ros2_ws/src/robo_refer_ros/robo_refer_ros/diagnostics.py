"""What the node says about itself on /diagnostics, once a second."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from robo_refer.errors import ErrorCode
from robo_refer_ros.asking import Outcome
from robo_refer_ros.camera.stream import CameraStream

_RECENT = 100
# What the camera or the backend lacks; a target that is not there is no fault of the node.
_FAULTS = range(ErrorCode.NO_IMAGE, ErrorCode.NO_TARGET)


@dataclass
class Counts:
    """What has been asked and answered; for several threads."""

    answered: int = 0
    failed: int = 0
    last_error: str = ""
    last_code: ErrorCode = ErrorCode.OK
    _model_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _overhead_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, outcome: Outcome) -> None:
        """Count an outcome."""
        with self._lock:
            self.last_code = outcome.error.code if outcome.error is not None else ErrorCode.OK
            if outcome.error is not None:
                self.failed += 1
                self.last_error = str(outcome.error)
            else:
                self.answered += 1
            if outcome.referral is not None:
                self._model_s.append(outcome.model_s)
                self._overhead_s.append(outcome.overhead_s)

    def times(self) -> dict[str, str]:
        """Return median and 95th percentile of the model and of all else, milliseconds."""
        with self._lock:
            recent = {"model": list(self._model_s), "overhead": list(self._overhead_s)}
        return {
            f"{name} p{share} ms": f"{np.percentile(values, share) * 1000:.1f}"
            for name, values in recent.items()
            if values
            for share in (50, 95)
        }


def status(
    name: str, state: str, stream: CameraStream | None, counts: Counts, backend: str
) -> DiagnosticStatus:
    """Return the node's health.

    Args:
        name: of the node.
        state: of its lifecycle.
        stream: the camera's topics, or None while it is not active.
        counts: what has been asked.
        backend: the model and its process, in words.
    """
    level, message = DiagnosticStatus.OK, state
    values = {"state": state, "backend": backend}
    if stream is not None:
        for role, topic in stream.topics.items():
            ago = topic.seconds_ago
            values[f"{role} topic"] = topic.name
            values[f"{role} age s"] = "never" if ago is None else f"{ago:.2f}"
            values[f"{role} rate Hz"] = f"{topic.rate_hz:.1f}"
            if topic.incompatible is not None:
                values[f"{role} QoS"] = topic.incompatible
        values["pairs"] = str(stream.pairs)
        values["images without partner"] = str(stream.unpaired)
        problem = stream.problem()
        if problem is not None:
            level, message = DiagnosticStatus.WARN, problem
    if counts.last_code in _FAULTS:
        level, message = DiagnosticStatus.WARN, counts.last_error
    values["answered"], values["failed"] = str(counts.answered), str(counts.failed)
    values["last error"] = counts.last_error
    values.update(counts.times())
    return DiagnosticStatus(
        level=level,
        name=f"{name}: spatial referring",
        message=message,
        hardware_id=backend,
        values=[KeyValue(key=key, value=value) for key, value in values.items()],
    )


class Diagnostics:
    """Publishes the health of a node at 1 Hz.

    Args:
        node: that publishes.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(self, health: DiagnosticStatus) -> None:
        """Publish it now."""
        message = DiagnosticArray(status=[health])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(message)

    def close(self) -> None:
        """Take the topic back."""
        self._node.destroy_publisher(self._publisher)
