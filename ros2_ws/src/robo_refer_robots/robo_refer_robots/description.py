"""The robot's description: a file, or what robot_state_publisher has."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import String

from robo_refer.errors import ErrorCode, RoboReferError

_ARRIVE_S = 5.0


class Description:
    """Finds the URDF.

    Args:
        node: that listens to /robot_description when there is no file.
        file: its path, or "".
        group: of the callback.
    """

    def __init__(self, node: Node, file: str, group: CallbackGroup) -> None:
        self._file, self._text = file, ""
        self._arrived = threading.Event()
        if not file:
            latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
            node.create_subscription(
                String, "/robot_description", self._on_text, latched, callback_group=group
            )

    @contextmanager
    def path(self) -> Iterator[Path]:
        """Give a file with the description for a `with` block.

        Raises:
            RoboReferError: ROBOT_NOT_READY when none has been published.
        """
        if self._file:
            yield Path(self._file)
            return
        if not self._arrived.wait(_ARRIVE_S):
            raise RoboReferError(
                ErrorCode.ROBOT_NOT_READY,
                "Nobody publishes /robot_description.",
                "Start the robot's driver, or name a file with the parameter urdf.",
            )
        with TemporaryDirectory() as folder:
            path = Path(folder) / "robot.urdf"
            path.write_text(self._text)
            yield path

    def _on_text(self, message: String) -> None:
        self._text = message.data
        self._arrived.set()
