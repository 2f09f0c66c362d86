"""RGB-D frames of a recorded bag (MCAP, SQLite or ROS 1), read without ROS.

`rosbags` reads the bag; what is of one moment, and how images are decoded, is the same as in the
node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.ros_messages import camera_of, depth_of, rgb_of
from robo_refer.pairing import Pair, Pairing
from robo_refer.types import CameraModel, Frame

_IMAGE = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
_INFO = ("sensor_msgs/msg/CameraInfo",)
_QUEUE = 10


@dataclass(frozen=True)
class BagOptions:
    """Which topics of a bag are a camera, and how they belong together.

    Attributes:
        image, depth, camera_info: topics; "" takes the only one that fits by type and name.
        slop_s: largest difference of stamps of colour and depth.
        rectified: the image is undistorted: P of camera_info counts instead of K and D.
    """

    image: str = ""
    depth: str = ""
    camera_info: str = ""
    slop_s: float = 0.02
    rectified: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.slop_s < math.inf:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"Stamps cannot differ by {self.slop_s} s.",
                "Give a finite number of seconds, 0 or more.",
            )


@dataclass(frozen=True)
class Recorded:
    """A colour image that has a depth image, as messages.

    Attributes:
        stamp_s: of the colour image.
        camera: its calibration.
    """

    stamp_s: float
    camera: CameraModel
    _colour: Any
    _depth: Any

    def frame(self) -> Frame:
        """Return it decoded.

        Raises:
            RoboReferError: BAD_IMAGE, BAD_DEPTH or BAD_CAMERA: what this moment is short of.
        """
        return Frame(rgb_of(self._colour), depth_of(self._depth), self.camera, self.stamp_s)


def read_bag(path: Path, options: BagOptions) -> Iterator[Recorded]:
    """Yield every colour image that has a depth image, in the order of the recording.

    Raises:
        RoboReferError: BAD_FILE for what is no bag; NO_IMAGE or NO_CAMERA_INFO when topics are
            missing or several fit; UNSYNCED when no images are of one moment; BAD_CAMERA.
    """
    with _damage_said(path):
        reader = AnyReader([path], default_typestore=get_typestore(Stores.LATEST))
        reader.open()
    with closing(reader):
        yield from _recorded(reader, options)


@contextmanager
def _damage_said(path: Path) -> Iterator[None]:
    """Turn what a damaged bag makes its readers raise into BAD_FILE: each has its own exceptions.

    Raises:
        RoboReferError: BAD_FILE.
    """
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} cannot be read as a bag: {reason}.",
            "Give the folder of a ROS 2 bag, or its .mcap or .db3 file, or a ROS 1 .bag.",
        ) from error


def _recorded(reader: AnyReader, options: BagOptions) -> Iterator[Recorded]:
    topics = {each.topic: each.msgtype for each in reader.connections}
    depth = options.depth or _only(topics, _IMAGE, "depth", has_depth=True)
    image = options.image or _only(topics, _IMAGE, "image", has_depth=False)
    info = options.camera_info or _info_of(topics, image)
    calibration = next(_messages(reader, [info]), (info, None))[1]
    if calibration is None:
        raise _missing("camera_info", topics, ErrorCode.NO_CAMERA_INFO)
    count = 0
    for pair in _pairs(reader, image, depth, options.slop_s):
        count += 1
        colour = pair.colour.image
        camera = camera_of(
            calibration, "", image_frame=colour.header.frame_id, rectified=options.rectified
        )
        yield Recorded(pair.colour.stamp_ns / 1e9, camera, colour, pair.depth.image)
    if not count:
        raise RoboReferError(
            ErrorCode.UNSYNCED,
            f"No images of {image} and {depth} are of one moment.",
            "Check the topics, or allow a larger difference of their stamps.",
        )


def _pairs(reader: AnyReader, image: str, depth: str, slop_s: float) -> Iterator[Pair[Any]]:
    """Yield the best pair of every colour image, when the next one has begun."""
    pairing: Pairing[Any] = Pairing(slop_s, _QUEUE)
    best: Pair[Any] | None = None
    for topic, message in _messages(reader, [image, depth]):
        stamp = message.header.stamp
        stamp_ns = int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
        if topic == image:
            pairing.add_colour(stamp_ns, message)
        else:
            pairing.add_depth(stamp_ns, message)
        newest = pairing.newest
        if best is not None and newest is not None and newest.colour is not best.colour:
            yield best
        best = newest
    if best is not None:
        yield best


def _messages(reader: AnyReader, topics: Sequence[str]) -> Iterator[tuple[str, Any]]:
    wanted = [each for each in reader.connections if each.topic in topics]
    if not wanted:
        return
    with _damage_said(reader.paths[0]):
        for connection, _, data in reader.messages(connections=wanted):
            yield connection.topic, reader.deserialize(data, connection.msgtype)


def _only(topics: dict[str, str], kinds: Sequence[str], role: str, *, has_depth: bool) -> str:
    fitting = [
        name for name, kind in topics.items() if kind in kinds and ("depth" in name) == has_depth
    ]
    if len(fitting) != 1:
        raise _missing(role, topics, ErrorCode.NO_IMAGE)
    return fitting[0]


def _info_of(topics: dict[str, str], image: str) -> str:
    """Return the camera_info beside an image, as image_transport names it, or the only one."""
    namespace = image.removesuffix("/compressed").rpartition("/")[0]
    fitting = [name for name, kind in topics.items() if kind in _INFO]
    if f"{namespace}/camera_info" in fitting:
        return f"{namespace}/camera_info"
    if len(fitting) != 1:
        raise _missing("camera_info", topics, ErrorCode.NO_CAMERA_INFO)
    return fitting[0]


def _missing(role: str, topics: dict[str, str], code: ErrorCode) -> RoboReferError:
    shown = [name for name, kind in topics.items() if kind in (*_IMAGE, *_INFO)]
    return RoboReferError(
        code,
        f"Which topic is '{role}' is not clear; of cameras, the bag has: "
        f"{', '.join(sorted(shown)) or 'nothing'}.",
        f"Name it with --{role.replace('_', '-')}.",
    )
