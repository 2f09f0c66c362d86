"""Messages of any layout to arrays, and back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from robo_refer_ros.camera.convert import (
    camera_message,
    depth_message,
    image_message,
    transform_message,
)
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.ros_messages import camera_of, depth_of, rgb_of
from robo_refer.geometry import from_quaternion
from robo_refer.types import CameraModel

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (18, 24, 3), np.uint8)
PINHOLE = CameraModel(24, 18, 20.0, 21.0, 11.5, 8.5, frame="eye")
DEPTH_M = RNG.uniform(0.3, 3, (18, 24)).astype(np.float32)


def message(array: np.ndarray, encoding: str, padding: int = 0, big_endian: bool = False) -> Image:
    height, width = array.shape[:2]
    rows = np.ascontiguousarray(array).view(np.uint8).reshape(height, -1)
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=7)
    return Image(
        height=height, width=width, encoding=encoding, step=padded.shape[1],
        is_bigendian=int(big_endian), data=padded.tobytes(),
    )  # fmt: skip


def test_what_we_write_we_read() -> None:
    np.testing.assert_array_equal(rgb_of(image_message(RGB)), RGB)
    np.testing.assert_array_equal(depth_of(depth_message(DEPTH_M)), DEPTH_M)
    for camera in (
        CameraModel(24, 18, 20.0, 21.0, 11.5, 8.5, frame="eye"),
        CameraModel(
            24, 18, 20.0, 21.0, 11.5, 8.5, "plumb_bob", (0.1, 0.0, 0.0, 0.0, 0.2), None, "eye"
        ),
        CameraModel(
            24, 18, 20.0, 21.0, 11.5, 8.5, "equidistant", (0.0, 0.0, 0.0, 0.0), None, "eye"
        ),
    ):
        sent = camera_message(camera)
        assert camera_of(sent, "", image_frame="eye", rectified=False) == camera


@pytest.mark.parametrize("turn", [0.0, 1e-9, 0.3, 3.0, np.pi])
def test_poses_are_what_they_were(turn: float) -> None:
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(turn * np.array([0.6, 0.0, -0.8]))[0]
    pose[:3, 3] = 1.0, -2.0, 0.5
    sent = transform_message("base_link", "eye", pose)
    assert (sent.header.frame_id, sent.child_frame_id) == ("base_link", "eye")
    t, q = sent.transform.translation, sent.transform.rotation
    np.testing.assert_allclose(
        from_quaternion((q.x, q.y, q.z, q.w), (t.x, t.y, t.z)), pose, atol=1e-7
    )


@pytest.mark.parametrize("padding", [0, 5])
@pytest.mark.parametrize(
    ("encoding", "channels"),
    [("rgb8", [0, 1, 2]), ("bgr8", [2, 1, 0]), ("8UC3", [2, 1, 0]), ("rgba8", [0, 1, 2, 0]),
     ("bgra8", [2, 1, 0, 0]), ("8UC4", [2, 1, 0, 0])],
)  # fmt: skip
def test_colour_encodings(encoding: str, channels: list[int], padding: int) -> None:
    np.testing.assert_array_equal(rgb_of(message(RGB[..., channels], encoding, padding)), RGB)


@pytest.mark.parametrize("encoding", ["mono8", "8UC1"])
def test_grey(encoding: str) -> None:
    grey = rgb_of(message(RGB[..., :1], encoding, 3))
    np.testing.assert_array_equal(grey, np.repeat(RGB[..., :1], 3, axis=2))


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("padding", [0, 2, 5])
def test_depth_encodings(big_endian: bool, padding: int) -> None:
    order = ">" if big_endian else "<"
    floats = DEPTH_M.astype(f"{order}f4")
    np.testing.assert_array_equal(depth_of(message(floats, "32FC1", padding, big_endian)), DEPTH_M)
    millimetres = np.rint(DEPTH_M * 1000).astype(f"{order}u2")
    for encoding in ("16UC1", "mono16"):
        found = depth_of(message(millimetres, encoding, padding, big_endian))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, DEPTH_M, atol=0.0006)


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_compressed_colour(suffix: str) -> None:
    smooth = np.full((32, 32, 3), (200, 40, 90), np.uint8)
    _, data = cv2.imencode(suffix, cv2.cvtColor(smooth, cv2.COLOR_RGB2BGR))
    found = rgb_of(CompressedImage(format=suffix, data=data.tobytes()))
    assert np.abs(found.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("data", [b"", b"no picture"])
def test_compressed_rubbish(data: bytes) -> None:
    with pytest.raises(RoboReferError) as error:
        rgb_of(CompressedImage(format="jpeg", data=data))
    assert error.value.code is ErrorCode.BAD_IMAGE


@pytest.mark.parametrize("field", ["step", "height", "data"])
def test_layouts_that_do_not_fit(field: str) -> None:
    for read, good, code in (
        (rgb_of, image_message(RGB), ErrorCode.BAD_IMAGE),
        (depth_of, depth_message(DEPTH_M), ErrorCode.BAD_DEPTH),
    ):
        setattr(good, field, b"" if field == "data" else (3 if field == "step" else 10_000))
        with pytest.raises(RoboReferError) as error:
            read(good)
        assert error.value.code is code


def test_a_rectified_image_is_seen_through_p() -> None:
    info = CameraInfo(width=24, height=18, distortion_model="plumb_bob", d=[0.1] * 5)
    info.k = np.array([20.0, 0, 11, 0, 20, 8, 0, 0, 1])
    info.p = np.array([30.0, 0, 12, 0, 0, 31, 9, 0, 0, 0, 1, 0])
    raw = camera_of(info, "", image_frame="a", rectified=False)
    assert (raw.fx, raw.distortion_model) == (20.0, "plumb_bob")
    flat = camera_of(info, "override", image_frame="a", rectified=True)
    assert (flat.fx, flat.fy, flat.cx, flat.cy) == (30.0, 31.0, 12.0, 9.0)
    assert (flat.distortion_model, flat.frame) == ("none", "override")


def test_an_unknown_lens_is_refused_unless_it_bends_nothing() -> None:
    info = CameraInfo(width=24, height=18, distortion_model="inverse_brown", d=[0.0] * 5)
    info.k = np.array([20.0, 0, 11, 0, 20, 8, 0, 0, 1])
    assert camera_of(info, "", image_frame="a", rectified=False).distortion_model == "none"
    info.d = [0.1] * 5
    with pytest.raises(RoboReferError) as error:
        camera_of(info, "", image_frame="a", rectified=False)
    assert error.value.code is ErrorCode.BAD_CAMERA
