"""An RGB-D camera on the graph that publishes exactly what a test wants."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from robo_refer_ros.camera.convert import camera_message, depth_message, image_message
from sensor_msgs.msg import CameraInfo, Image
from tf2_msgs.msg import TFMessage

from robo_refer.types import CameraModel

WIDTH, HEIGHT = 64, 48
FRAME = "camera_optical_frame"
CAMERA = CameraModel(WIDTH, HEIGHT, 60.0, 60.0, 31.5, 23.5, frame=FRAME)
DEPTH_M = 0.8
CONNECT_S = 60.0
REPEAT_S = 0.05


def colour() -> Image:
    """A grey image with a brighter half."""
    rgb = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    rgb[:, WIDTH // 2 :] = 160
    return image_message(rgb, FRAME)


def depth(depth_m: float = DEPTH_M) -> Image:
    """A wall."""
    return depth_message(np.full((HEIGHT, WIDTH), depth_m, np.float32), FRAME)


@dataclass
class Shot:
    """What the camera publishes; None is left out. Stamps are set when it is published."""

    image: Image | None = field(default_factory=colour)
    depth: Image | None = field(default_factory=depth)
    info: CameraInfo | None = field(default_factory=lambda: camera_message(CAMERA))
    depth_later_s: float = 0.0


class FakeCamera:
    """Publishes shots and transforms, again and again until it is stopped.

    A subscriber that has just found it misses nothing so; the stamps stay the same.

    Args:
        node: that publishes.
        reliability: of the images.
        prefix: of the topics.
    """

    def __init__(
        self,
        node: Node,
        reliability: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
        prefix: str = "/",
    ) -> None:
        self._node = node
        qos = QoSProfile(depth=5, reliability=reliability)
        self._image = node.create_publisher(Image, f"{prefix}image", qos)
        self._depth = node.create_publisher(Image, f"{prefix}depth", qos)
        self._info = node.create_publisher(CameraInfo, f"{prefix}camera_info", qos)
        latched = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._tf = node.create_publisher(TFMessage, "/tf", 100)
        self._tf_static = node.create_publisher(TFMessage, "/tf_static", latched)
        self._lock = threading.Lock()
        self._shot: list[tuple[Any, Any]] = []
        self._moving: list[tuple[Any, Any]] = []
        self._closed = threading.Event()
        self._repeating = threading.Thread(target=self._repeat, daemon=True)
        self._repeating.start()

    def publish(self, shot: Shot | None = None, stamp_ns: int | None = None) -> int:
        """Publish a shot when somebody listens; return its stamp (now, if none is given)."""
        shot = shot or Shot()
        self.wait_connected()
        stamp_ns = self.now_ns() if stamp_ns is None else stamp_ns
        shown = []
        for message, publisher, later_s in (
            (shot.info, self._info, 0.0),
            (shot.depth, self._depth, shot.depth_later_s),
            (shot.image, self._image, 0.0),
        ):
            if message is not None:
                message.header.stamp = time_message(stamp_ns + round(later_s * 1e9))
                shown.append((message, publisher))
        with self._lock:
            self._shot = shown
            self._publish()
        return stamp_ns

    def stop(self) -> None:
        """Publish nothing any more."""
        with self._lock:
            self._shot, self._moving = [], []

    def _publish(self) -> None:
        for message, publisher in (*self._moving, *self._shot):
            publisher.publish(message)

    def _repeat(self) -> None:
        while not self._closed.wait(REPEAT_S):
            with self._lock:
                self._publish()

    def transform(
        self,
        parent: str,
        child: str,
        shift: tuple[float, float, float],
        stamp_ns: int = 0,
        *,
        static: bool = False,
    ) -> None:
        """Publish where a frame is."""
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id = parent
        message.header.stamp = time_message(stamp_ns)
        t = message.transform.translation
        t.x, t.y, t.z = shift
        if static:
            self._tf_static.publish(TFMessage(transforms=[message]))
            return
        with self._lock:
            self._moving.append((TFMessage(transforms=[message]), self._tf))

    def wait_connected(self) -> None:
        """Wait until the node listens."""
        for publisher in (self._image, self._depth, self._info):
            wait_for(publisher.get_subscription_count)

    def now_ns(self) -> int:
        """The time of the test's own clock."""
        return int(self._node.get_clock().now().nanoseconds)

    def close(self) -> None:
        """Leave the graph."""
        self._closed.set()
        self._repeating.join()
        for publisher in (self._image, self._depth, self._info, self._tf, self._tf_static):
            self._node.destroy_publisher(publisher)

    def __enter__(self) -> FakeCamera:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def time_message(stamp_ns: int) -> Time:
    """Return nanoseconds as a message."""
    return Time(sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000)


def wait_for(condition: Any, timeout_s: float = CONNECT_S) -> Any:
    """Return what `condition()` returns once it is true.

    Raises:
        TimeoutError: it never was.
    """
    deadline = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{condition} is still {value!r}")
        time.sleep(0.01)
    return value
