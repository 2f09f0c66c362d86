"""The camera's topics: keeps the newest capture, and can say why there is none.

Messages are received in a thread of their own: however many callbacks of the node wait for an
image, it comes. A callback here only files a message; images are decoded when somebody asks about
them.
"""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.ros_messages import camera_of, depth_of, rgb_of
from robo_refer.pairing import Pairing
from robo_refer.types import CameraModel, Frame
from robo_refer_ros.model.backend import Cancelled
from robo_refer_ros.settings import Settings
from robo_refer_ros.side_node import SideNode

CLOCK_TOLERANCE_S = 0.1
_RATE_WINDOW = 30


@dataclass(frozen=True)
class Capture:
    """One moment of the camera, as messages.

    Attributes:
        image: the colour image; all stamps and frames of an answer are its own.
        depth: registered to it, or None.
        info: the calibration.
        age_s: of the image when it was chosen.
        arrived_s: when all of it was here, in seconds of `time.monotonic`.
    """

    image: Image | CompressedImage
    depth: Image | None
    info: CameraInfo
    age_s: float = 0.0
    arrived_s: float = 0.0

    @property
    def stamp_ns(self) -> int:
        """Capture time."""
        return stamp_ns(self.image)

    def camera(self, settings: Settings) -> CameraModel:
        """Return the calibration.

        Raises:
            RoboReferError: NO_CAMERA_INFO, BAD_CAMERA.
        """
        return camera_of(
            self.info,
            settings.camera_optical_frame,
            image_frame=self.image.header.frame_id,
            rectified=settings.image.rectified,
        )

    def depth_m(self) -> NDArray[np.float32] | None:
        """Return (height, width) metres, or None without a depth image.

        Raises:
            RoboReferError: BAD_DEPTH.
        """
        return None if self.depth is None else depth_of(self.depth)

    def frame(self, settings: Settings) -> Frame:
        """Return it decoded.

        Raises:
            RoboReferError: BAD_IMAGE, BAD_DEPTH (also where the two differ in size),
                NO_CAMERA_INFO, BAD_CAMERA.
        """
        return Frame(
            rgb=rgb_of(self.image),
            depth_m=self.depth_m(),
            camera=self.camera(settings),
            stamp_s=self.stamp_ns / 1e9,
        )


class Topic:
    """What is known of one topic: how many messages, how old, how fast, who publishes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.received = 0
        self.incompatible: str | None = None
        self._arrivals: list[float] = []

    def arrived(self) -> None:
        """Count a message."""
        self.received += 1
        self._arrivals = [*self._arrivals[1 - _RATE_WINDOW :], time.monotonic()]

    @property
    def seconds_ago(self) -> float | None:
        """Seconds since the last message, or None."""
        return time.monotonic() - self._arrivals[-1] if self._arrivals else None

    @property
    def rate_hz(self) -> float:
        """Messages a second, over the last ones."""
        if len(self._arrivals) < 2:
            return 0.0
        span_s = time.monotonic() - self._arrivals[0]
        return (len(self._arrivals) - 1) / span_s if span_s > 0 else 0.0


class CameraStream:
    """Subscribes to image, depth and camera_info, by a small node of its own.

    Args:
        node: names the topics; its clock tells the age of images.
        settings: the parameters.
    """

    def __init__(self, node: Node, settings: Settings) -> None:
        self._node, self._settings = node, settings
        self._changed = threading.Condition()
        self._pairing: Pairing[Any] = Pairing(settings.sync.slop_s, settings.sync.queue)
        self._image: Image | CompressedImage | None = None
        self._info: CameraInfo | None = None
        self._arrived_s = 0.0
        self._is_closed = False
        compressed = settings.image.transport == "compressed"
        self._side = _side_node(node)
        self.topics: dict[str, Topic] = {}
        for role, name, kind, callback in (
            (
                "image",
                "image/compressed" if compressed else "image",
                CompressedImage if compressed else Image,
                self._on_image,
            ),
            ("depth", "depth", Image, self._on_depth),
            ("camera_info", "camera_info", CameraInfo, self._on_info),
        ):
            topic = self.topics[role] = Topic(node.resolve_topic_name(name))
            qos = QoSProfile(
                depth=settings.image.queue,
                reliability=ReliabilityPolicy[settings.image.reliability.upper()],
            )
            events = SubscriptionEventCallbacks(
                incompatible_qos=lambda event, topic=topic: self._on_incompatible(topic, event)
            )
            self._side.node.create_subscription(
                kind, topic.name, callback, qos, event_callbacks=events
            )

    def wait_fresh(
        self, max_age_s: float, withdrawn: Future[str], *, need_depth: bool = True
    ) -> Capture:
        """Return the newest capture; if it is too old or incomplete, wait for a better one.

        Args:
            max_age_s: oldest image that will do.
            withdrawn: done when nobody waits any more.
            need_depth: without, a camera that has no depth at all is enough.

        Raises:
            RoboReferError: what is missing after `image.wait_s`: NO_IMAGE, UNSYNCED,
                NO_CAMERA_INFO or STALE_IMAGE; CANCELLED when all is closed.
            Cancelled: withdrawn.
        """
        withdrawn.add_done_callback(self._wake)
        deadline = time.monotonic() + self._settings.image.wait_s
        with self._changed:
            while True:
                if withdrawn.done():
                    raise Cancelled(withdrawn.result())
                if self._is_closed:
                    raise RoboReferError(
                        ErrorCode.CANCELLED,
                        "The node was deactivated while an image was waited for.",
                        "Activate it, and ask again.",
                    )
                try:
                    return self._newest(max_age_s, need_depth)
                except RoboReferError:
                    left_s = deadline - time.monotonic()
                    if left_s <= 0:
                        raise
                    self._changed.wait(left_s)

    def wait_other_than(self, stamp_ns: int) -> Capture | None:
        """Return the newest capture when it is not that of a moment; None when all is closed."""
        with self._changed:
            while not self._is_closed:
                with suppress(RoboReferError):  # nothing complete yet
                    capture = self._newest(math.inf, need_depth=True)
                    if capture.stamp_ns != stamp_ns:
                        return capture
                self._changed.wait()
        return None

    def _wake(self, _: Future[str]) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def update(self, settings: Settings) -> None:
        """Take over live parameters."""
        self._settings = settings

    @property
    def unpaired(self) -> int:
        """Colour images that no depth image was found for."""
        return max(0, self.topics["image"].received - self.pairs)

    @property
    def pairs(self) -> int:
        """Colour images that have had a depth image."""
        return self._pairing.count

    def problem(self) -> str | None:
        """Return why there is no capture that could be answered about, or None."""
        with self._changed:
            try:
                self._newest(self._settings.image.max_age_s, need_depth=True)
            except RoboReferError as error:
                return str(error)
        return None

    def clear(self) -> None:
        """Forget all images, after time has jumped."""
        with self._changed:
            self._pairing.clear()
            self._image = None

    def close(self) -> None:
        """Unsubscribe, and let nobody wait for more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._side.close()

    def _newest(self, max_age_s: float, need_depth: bool) -> Capture:
        pair = self._pairing.newest
        if self._image is None:
            raise self._nothing_on("image", ErrorCode.NO_IMAGE)
        if pair is None and (need_depth or self.topics["depth"].received):
            raise self._no_pair()
        if self._info is None:
            raise self._nothing_on("camera_info", ErrorCode.NO_CAMERA_INFO)
        image = self._image if pair is None else pair.colour.image
        age_s = self._age_s(image)
        alone = " that has depth" if image is not self._image else ""  # newer ones have none
        check_age(age_s, max_age_s, f"{self.topics['image'].name}{alone}")
        depth = None if pair is None else pair.depth.image
        return Capture(image, depth, self._info, age_s, self._arrived_s)

    def _age_s(self, image: Image | CompressedImage) -> float:
        stamp = stamp_ns(image)
        if stamp == 0:
            raise RoboReferError(
                ErrorCode.STALE_IMAGE,
                f"The images on {self.topics['image'].name} have no time stamp (0).",
                "The driver must set header.stamp to the capture time.",
            )
        return (self._node.get_clock().now().nanoseconds - stamp) / 1e9

    def _nothing_on(self, role: str, code: ErrorCode) -> RoboReferError:
        topic = self.topics[role]
        count = self._node.count_publishers(topic.name)
        if topic.incompatible is not None:
            why, remedy = topic.incompatible, "Set image.reliability to best_effort."
        elif count == 0:
            why = "nobody publishes it"
            remedy = "Start the camera, or remap the topic."
        else:
            why = f"{count} publish it"
            remedy = "Check that the camera runs; it may wait for its hardware."
        return RoboReferError(code, f"Nothing has arrived on {topic.name}: {why}.", remedy)

    def _no_pair(self) -> RoboReferError:
        if not self.topics["depth"].received:
            return self._nothing_on("depth", ErrorCode.UNSYNCED)
        gap_s = self._pairing.smallest_gap_s
        apart = "never together" if gap_s is None else f"at least {gap_s:.3f} s apart"
        return RoboReferError(
            ErrorCode.UNSYNCED,
            f"Image and depth arrive, but {apart}.",
            "Synchronise the camera's streams, or raise sync.slop_s (moments then mix).",
        )

    def _on_image(self, message: Image | CompressedImage) -> None:
        self.topics["image"].arrived()
        with self._changed:
            self._image = message
            self._pairing.add_colour(stamp_ns(message), message)
            self._arrived()

    def _on_depth(self, message: Image) -> None:
        self.topics["depth"].arrived()
        with self._changed:
            self._pairing.add_depth(stamp_ns(message), message)
            self._arrived()

    def _on_info(self, message: CameraInfo) -> None:
        self.topics["camera_info"].arrived()
        with self._changed:
            self._info = message
            self._arrived()

    def _arrived(self) -> None:
        self._arrived_s = time.monotonic()
        self._changed.notify_all()

    def _on_incompatible(self, topic: Topic, event: Any) -> None:
        policy = str(event.last_policy_kind).lower().rpartition("policy_")[2]
        topic.incompatible = f"its publisher offers another QoS ({policy})"
        self._node.get_logger().warning(
            f"Nothing will arrive on {topic.name}: {topic.incompatible} than this node asks for. "
            "Set image.reliability to best_effort, or make the publisher reliable."
        )


def _side_node(node: Node) -> SideNode:
    """Return a node beside another that only receives; its topics are to be named in full."""
    return SideNode(
        f"{node.get_name()}_camera",
        namespace=node.get_namespace(),
        use_global_arguments=False,  # else a remapped __node gives both the same name
        enable_rosout=False,
        start_parameter_services=False,
    )


def check_age(age_s: float, max_age_s: float, topic: str) -> None:
    """Refuse an image that is too old, or from the future.

    Raises:
        RoboReferError: STALE_IMAGE with the measured age.
    """
    if age_s < -CLOCK_TOLERANCE_S:
        raise RoboReferError(
            ErrorCode.STALE_IMAGE,
            f"The newest image on {topic} is from {-age_s:.2f} s in the future.",
            "The clocks differ: check use_sim_time, and the time of the camera's computer.",
        )
    if age_s > max_age_s:
        raise RoboReferError(
            ErrorCode.STALE_IMAGE,
            f"The newest image on {topic} is {age_s:.2f} s old; {max_age_s:g} s are allowed.",
            "Check the camera and use_sim_time, or raise image.max_age_s.",
        )


def stamp_ns(message: Any) -> int:
    """Return a message's header stamp in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
