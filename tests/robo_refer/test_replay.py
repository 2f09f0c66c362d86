"""Bags written here and replayed: every storage, every encoding, and what bags are short of."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cli_files import png_claiming
from rosbags.rosbag1 import Writer as Ros1Writer
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from robo_refer.cli import ros
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.bag import BagOptions, read_bag
from robo_refer.files.ros_messages import rgb_of

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
WIDTH, HEIGHT = 64, 48
K = np.array([60.0, 0, 31.5, 0, 60.0, 23.5, 0, 0, 1])
RGB = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
DEPTH_MM = np.random.default_rng(1).integers(500, 2000, (HEIGHT, WIDTH)).astype(np.uint16)
PLUGINS = {"mcap": StoragePlugin.MCAP, "sqlite": StoragePlugin.SQLITE3}
MS = 1_000_000


def header(stamp_ns: int) -> Any:
    time = TYPES["builtin_interfaces/msg/Time"](stamp_ns // 10**9, stamp_ns % 10**9)
    return TYPES["std_msgs/msg/Header"](stamp=time, frame_id="eye")


def image(stamp_ns: int, pixels: np.ndarray, encoding: str) -> Any:
    data = np.ascontiguousarray(pixels).view(np.uint8).reshape(HEIGHT, -1)
    return TYPES["sensor_msgs/msg/Image"](
        header(stamp_ns), HEIGHT, WIDTH, encoding, 0, data.shape[1], data.ravel()
    )


def jpeg(stamp_ns: int) -> Any:
    _, data = cv2.imencode(".png", cv2.cvtColor(RGB, cv2.COLOR_RGB2BGR))
    return TYPES["sensor_msgs/msg/CompressedImage"](header(stamp_ns), "png", data.ravel())


def info(stamp_ns: int, k: np.ndarray = K) -> Any:
    roi = TYPES["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    return TYPES["sensor_msgs/msg/CameraInfo"](
        header(stamp_ns), HEIGHT, WIDTH, "plumb_bob", np.zeros(5), k, np.eye(3).ravel(),
        np.column_stack([K.reshape(3, 3), np.zeros(3)]).ravel(), 0, 0, roi,
    )  # fmt: skip


def write_bag(path: Path, messages: dict[str, list[Any]], plugin: str = "mcap") -> Path:
    """Write messages by topic, each at the time of its stamp."""
    with Writer(path, version=9, storage_plugin=PLUGINS[plugin]) as writer:
        for topic, list_of in messages.items():
            kind = list_of[0].__msgtype__
            connection = writer.add_connection(topic, kind, typestore=STORE)
            for message in list_of:
                stamp = message.header.stamp
                stamp_ns = stamp.sec * 10**9 + stamp.nanosec
                writer.write(connection, stamp_ns, STORE.serialize_cdr(message, kind))
    return path


def recording(times_ms: list[int], shift_ms: int = 3) -> dict[str, list[Any]]:
    """A camera whose depth comes a little later than its colour."""
    start = 10**12
    return {
        "/cam/color/image_raw": [image(start + t * MS, RGB, "rgb8") for t in times_ms],
        "/cam/depth/image_rect": [
            image(start + (t + shift_ms) * MS, DEPTH_MM, "16UC1") for t in times_ms
        ],
        "/cam/color/camera_info": [info(start)],
    }


@pytest.mark.parametrize("plugin", list(PLUGINS))
def test_frames_are_what_was_recorded(tmp_path: Path, plugin: str) -> None:
    folder = write_bag(tmp_path / "bag", recording([0, 33, 66]), plugin)
    for path in (folder, next(p for p in folder.iterdir() if p.suffix in (".mcap", ".db3"))):
        frames = [each.frame() for each in read_bag(path, BagOptions())]
        np.testing.assert_allclose([f.stamp_s for f in frames], [1000.0, 1000.033, 1000.066])
        for frame in frames:
            np.testing.assert_array_equal(frame.rgb, RGB)
            assert frame.depth_m is not None
            np.testing.assert_allclose(frame.depth_m, DEPTH_MM / 1000, atol=1e-6)
            assert frame.camera is not None
            assert (frame.camera.fx, frame.camera.cx, frame.camera.frame) == (60.0, 31.5, "eye")


def test_compressed_colour_and_float_depth(tmp_path: Path) -> None:
    metres = (DEPTH_MM / 1000).astype(np.float32)
    path = write_bag(tmp_path / "bag", {
        "/cam/image/compressed": [jpeg(10**12)],
        "/cam/depth": [image(10**12, metres, "32FC1")],
        "/cam/camera_info": [info(10**12)],
    })  # fmt: skip
    (frame,) = (each.frame() for each in read_bag(path, BagOptions()))
    np.testing.assert_array_equal(frame.rgb, RGB)
    assert frame.depth_m is not None
    np.testing.assert_array_equal(frame.depth_m, metres)


def refused(path: Path, options: BagOptions | None = None) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        [each.frame() for each in read_bag(path, options or BagOptions())]
    return caught.value


def test_topics_that_are_not_clear_are_asked_for(tmp_path: Path) -> None:
    messages = recording([0])
    messages["/other/image"] = [image(10**12, RGB, "bgr8")]
    path = write_bag(tmp_path / "bag", messages)
    error = refused(path)
    assert error.code is ErrorCode.NO_IMAGE
    assert "/other/image" in error.message
    assert "--image" in error.remedy
    assert len(list(read_bag(path, BagOptions(image="/cam/color/image_raw")))) == 1


def test_what_bags_are_short_of(tmp_path: Path) -> None:
    apart = write_bag(tmp_path / "apart", recording([0, 100], shift_ms=50))
    assert refused(apart).code is ErrorCode.UNSYNCED
    assert len(list(read_bag(apart, BagOptions(slop_s=0.06)))) == 2
    blind = recording([0])
    del blind["/cam/color/camera_info"]
    assert refused(write_bag(tmp_path / "blind", blind)).code is ErrorCode.NO_CAMERA_INFO
    zeros = recording([0]) | {"/cam/color/camera_info": [info(10**12, np.zeros(9))]}
    assert refused(write_bag(tmp_path / "zeros", zeros)).code is ErrorCode.NO_CAMERA_INFO
    flat = recording([0])
    del flat["/cam/depth/image_rect"]
    assert refused(write_bag(tmp_path / "flat", flat)).code is ErrorCode.NO_IMAGE
    (tmp_path / "no.mcap").write_bytes(b"no bag")
    assert refused(tmp_path / "no.mcap").code is ErrorCode.BAD_FILE
    assert refused(tmp_path / "nowhere").code is ErrorCode.BAD_FILE
    assert refused(tmp_path).code is ErrorCode.BAD_FILE


def test_bags_of_ros_1_are_read(tmp_path: Path) -> None:
    store = get_typestore(Stores.ROS1_NOETIC)
    with Ros1Writer(tmp_path / "one.bag") as writer:
        for topic, (message,) in recording([0]).items():
            kind = message.__msgtype__
            fields = dict(vars(message))
            stamp = message.header.stamp
            fields["header"] = store.types["std_msgs/msg/Header"](0, stamp, "eye")
            names = [field.name for field in dataclasses.fields(store.types[kind])]
            values = [fields.get(name, fields.get(name.lower())) for name in names]
            connection = writer.add_connection(topic, kind, typestore=store)
            data = store.serialize_ros1(store.types[kind](*values), kind)
            writer.write(connection, stamp.sec * 10**9 + stamp.nanosec, data)
    (frame,) = (each.frame() for each in read_bag(tmp_path / "one.bag", BagOptions()))
    np.testing.assert_array_equal(frame.rgb, RGB)
    assert frame.camera is not None
    assert (frame.camera.fx, frame.camera.cx, frame.camera.frame) == (60.0, 31.5, "eye")


def test_compressed_depth_is_refused(tmp_path: Path) -> None:
    messages = recording([0]) | {"/cam/depth/image_rect": [jpeg(10**12)]}
    assert refused(write_bag(tmp_path / "bag", messages)).code is ErrorCode.BAD_DEPTH


def test_a_compressed_image_is_not_larger_than_any_other() -> None:
    data = np.frombuffer(png_claiming(60_000, 60_000), np.uint8)
    message = TYPES["sensor_msgs/msg/CompressedImage"](header(0), "png", data)
    with pytest.raises(RoboReferError, match="megapixels") as caught:
        rgb_of(message)
    assert caught.value.code is ErrorCode.BAD_IMAGE


@pytest.mark.parametrize("plugin", list(PLUGINS))
def test_a_damaged_bag_is_said_to_be_one(tmp_path: Path, plugin: str) -> None:
    folder = write_bag(tmp_path / "bag", recording([0]), plugin)
    whole = next(p for p in folder.iterdir() if p.suffix in (".mcap", ".db3"))
    data, path = whole.read_bytes(), tmp_path / f"damaged{whole.suffix}"
    for share in np.linspace(0, 0.99, 25):
        place = int(share * len(data))
        for damaged in (data[:place], data[:place] + bytes(20) + data[place + 20 :]):
            path.write_bytes(damaged)
            with suppress(RoboReferError):
                [each.frame() for each in read_bag(path, BagOptions())]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", recording([0]))
    (tmp_path / "file").touch()
    for options in (["--pictures", str(tmp_path / "file")], ["--slop-s", "nan"]):
        with pytest.raises(RoboReferError):
            ros.main(["replay", str(path), "--instruction", "the red mug", *options])


def test_the_command_writes_a_line_and_a_picture_for_each_frame(tmp_path: Path) -> None:
    path = write_bag(tmp_path / "bag", recording([0, 400, 800, 1200]))
    lines, pictures = tmp_path / "answers.jsonl", tmp_path / "pictures"
    ros.main(["replay", str(path), "--instruction", "the red mug", "--every-s", "0.7",
              "--out", str(lines), "--pictures", str(pictures)])  # fmt: skip
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [answer["stamp_s"] for answer in answers] == [1000.0, 1000.8]
    for answer in answers:
        assert answer["instruction"] == "the red mug"
        assert {"status", "points", "raw_answer"} <= set(answer)
    assert sorted(p.name for p in pictures.iterdir()) == ["1000.000.png", "1000.800.png"]


def test_a_moment_without_depth_does_not_end_a_replay(tmp_path: Path) -> None:
    start, dark = 10**12, np.zeros_like(DEPTH_MM)
    messages = recording([0, 400, 800])
    messages["/cam/depth/image_rect"][1] = image(start + 403 * MS, dark, "16UC1")
    path = write_bag(tmp_path / "bag", messages)
    arguments = ["replay", str(path), "--instruction", "the red mug", "--every-s", "0", "--out"]
    ros.main([*arguments, str(tmp_path / "answers.jsonl")])
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    answers = [json.loads(line) for line in lines]
    assert [answer["stamp_s"] for answer in answers] == [1000.0, 1000.4, 1000.8]
    assert [answer["status"] == "bad_depth" for answer in answers] == [False, True, False]
    messages["/cam/depth/image_rect"] = [image(start + MS, dark, "16UC1")]
    covered = write_bag(tmp_path / "covered", messages)
    with pytest.raises(RoboReferError) as caught:  # nothing was answered at all
        ros.main(["replay", str(covered), *arguments[2:], str(tmp_path / "none.jsonl")])
    assert caught.value.code is ErrorCode.BAD_DEPTH
    assert len((tmp_path / "none.jsonl").read_text().splitlines()) == 1
