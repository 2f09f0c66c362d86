"""Files -> frames: units, channel order, both camera formats, and sizes read without decoding."""

from __future__ import annotations

import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import cli_files as files
import cv2
import numpy as np
import pytest
import yaml
from cli_files import CAMERA, HEIGHT, WIDTH, GoodFiles, write
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.camera_file import read_camera
from robo_refer.files.depth_file import read_depth
from robo_refer.files.frame_files import load_frame, read_rgb
from robo_refer.files.image_header import image_format, image_size
from robo_refer.files.pictures import decode
from robo_refer.geometry.transforms import from_quaternion, is_rigid

DEPTH = files.depth_array_m()
MM = np.rint(DEPTH * 1000).astype(np.uint16)
RGB = files.rgb_array()


def test_frame_holds_what_the_files_hold(tmp_path: Path) -> None:
    good = GoodFiles(tmp_path)
    frame = load_frame(good.rgb, good.depth, good.camera)
    np.testing.assert_array_equal(frame.rgb, RGB)
    assert frame.depth_m is not None
    np.testing.assert_allclose(frame.depth_m, DEPTH, atol=5e-4)
    assert frame.camera is not None
    assert (frame.camera.fx, frame.camera.cy) == (70.0, 29.5)


@pytest.mark.parametrize("extension", [".png", ".bmp", ".tiff", ".webp", ".jpg"])
def test_colour_is_red_first(tmp_path: Path, extension: str) -> None:
    red = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    red[..., 2] = 250  # OpenCV writes BGR
    rgb = read_rgb(write(tmp_path / f"red{extension}", red))
    assert rgb.shape == (HEIGHT, WIDTH, 3)
    assert rgb[..., 0].min() > 230
    assert rgb[..., 1:].max() < 20


def test_grey_is_repeated_and_opaque_alpha_dropped(tmp_path: Path) -> None:
    grey = read_rgb(write(tmp_path / "grey.png", RGB[..., 0]))
    np.testing.assert_array_equal(grey, np.repeat(RGB[..., :1], 3, axis=2))
    opaque = np.dstack([RGB[..., ::-1], np.full((HEIGHT, WIDTH), 255, np.uint8)])
    np.testing.assert_array_equal(read_rgb(write(tmp_path / "alpha.png", opaque)), RGB)


@pytest.mark.parametrize(
    ("name", "stored", "unit"),
    [
        ("d.png", MM, None),
        ("d.png", MM, "mm"),
        ("d.tiff", DEPTH, None),
        ("d.npy", DEPTH, None),
        ("d.npy", DEPTH.astype(np.float64), "m"),
        ("d.npy", MM, "mm"),
        ("d.npy", MM.astype(np.int32), "mm"),
        ("d.tiff", MM, "mm"),
        ("d.npy", DEPTH * 1000, "mm"),
        ("d.npy", np.asfortranarray(DEPTH), None),
    ],
)
def test_depth_comes_out_in_metres(tmp_path: Path, name: str, stored: Any, unit: Any) -> None:
    depth_m = read_depth(write(tmp_path / name, stored), unit)
    assert depth_m.dtype == np.float32
    np.testing.assert_allclose(depth_m, DEPTH, atol=6e-4)


def test_a_stated_unit_overrules_the_encoding(tmp_path: Path) -> None:
    path = write(tmp_path / "d.png", (MM // 100).astype(np.uint16))
    assert read_depth(path, "m").max() == pytest.approx(15)


def test_holes_stay_holes(tmp_path: Path) -> None:
    depth = DEPTH.copy()
    depth[0, 0], depth[0, 1], depth[0, 2] = np.nan, np.inf, -np.inf
    read = read_depth(write(tmp_path / "d.npy", depth))
    assert not np.isfinite(read[0, :3]).any()
    assert read[0, 3] == 0


def test_npy_header_that_promises_too_much_is_refused_unread(tmp_path: Path) -> None:
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000)}"
    data = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n"
    with pytest.raises(RoboReferError, match="1000000") as error:
        read_depth(write(tmp_path / "d.npy", data))
    assert error.value.code == ErrorCode.BAD_DEPTH


@pytest.mark.parametrize("header", ["((((", "'''", "-" * 5000 + "1", "[" * 5000, "{\n 1\n a"])
def test_npy_header_that_is_no_python_is_refused(tmp_path: Path, header: str) -> None:
    data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with pytest.raises(RoboReferError, match="whole") as error:
        read_depth(write(tmp_path / "d.npy", data))
    assert error.value.code == ErrorCode.BAD_DEPTH


def test_full_json_camera(tmp_path: Path) -> None:
    pose = [[0, 0, 1, 0.1], [-1, 0, 0, 0.2], [0, -1, 0, 0.3], [0, 0, 0, 1]]
    fields = {
        **CAMERA, "distortion": [0.1, -0.2, 0, 0, 0.05], "T_world_cam": pose, "frame": "eye",
    }  # fmt: skip
    camera = read_camera(write(tmp_path / "c.json", fields))
    assert camera.distortion_model == "plumb_bob"
    assert camera.distortion == (0.1, -0.2, 0, 0, 0.05)
    assert camera.frame == "eye"
    np.testing.assert_allclose(camera.T_world_cam, pose, atol=1e-12)


def test_rounded_pose_becomes_a_rotation(tmp_path: Path) -> None:
    turn = from_quaternion((0.1, 0.2, 0.3, 0.9274), (1, 2, 3))
    path = write(tmp_path / "c.json", {**CAMERA, "T_world_cam": np.round(turn, 4).tolist()})
    pose = read_camera(path).T_world_cam
    assert pose is not None
    assert is_rigid(pose, 1e-12)
    np.testing.assert_allclose(pose, turn, atol=2e-4)


CALIBRATION = {
    "image_width": WIDTH,
    "image_height": HEIGHT,
    "camera_name": "head",
    "camera_matrix": {"rows": 3, "cols": 3, "data": [70.0, 0, 39.5, 0, 71.0, 29.5, 0, 0, 1]},
    "distortion_model": "plumb_bob",
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [0.1, -0.2, 0.0, 0.0, 0.05]},
    "rectification_matrix": {"rows": 3, "cols": 3, "data": [1, 0, 0, 0, 1, 0, 0, 0, 1]},
    "projection_matrix": {"rows": 3, "cols": 4, "data": [70.0, 0, 39, 0, 0, 70, 29, 0, 0, 0, 1, 0]},
}
ECHOED = {
    "header": {"stamp": {"sec": 1, "nanosec": 2}, "frame_id": "head"},
    "height": HEIGHT,
    "width": WIDTH,
    "distortion_model": "plumb_bob",
    "d": [0.1, -0.2, 0.0, 0.0, 0.05],
    "k": [70.0, 0.0, 39.5, 0.0, 71.0, 29.5, 0.0, 0.0, 1.0],
    "r": [1.0, 0, 0, 0, 1, 0, 0, 0, 1],
    "p": [70.0, 0, 39, 0, 0, 70, 29, 0, 0, 0, 1, 0],
    "binning_x": 0,
    "binning_y": 0,
    "roi": {"x_offset": 0, "y_offset": 0, "height": 0, "width": 0, "do_rectify": False},
}
ROS_1 = {{"k": "K", "d": "D", "r": "R", "p": "P"}.get(key, key): ECHOED[key] for key in ECHOED}


@pytest.mark.parametrize("fields", [CALIBRATION, ECHOED, ROS_1], ids=["file", "echo", "ROS 1"])
def test_ros_camera_info(tmp_path: Path, fields: dict[str, Any]) -> None:
    text = yaml.safe_dump(fields) + "---\n"  # as `ros2 topic echo` ends a message
    camera = read_camera(write(tmp_path / "camera_info.yaml", text))
    assert (camera.width, camera.height) == (WIDTH, HEIGHT)
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (70.0, 71.0, 39.5, 29.5)
    assert camera.distortion == (0.1, -0.2, 0.0, 0.0, 0.05)
    assert camera.distortion_model == "plumb_bob"
    assert camera.frame == "head"


def test_uncalibrated_ros_camera_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "c.yaml", yaml.safe_dump({**ECHOED, "k": [0.0] * 9}))
    with pytest.raises(RoboReferError, match="not calibrated"):
        read_camera(path)


@pytest.mark.parametrize("text", ["!!bool x", "!!timestamp x", "!!int ''", "k: 0b_"])
def test_yaml_tags_that_do_not_fit_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(RoboReferError, match="cannot be parsed") as error:
        read_camera(write(tmp_path / "c.yaml", text))
    assert error.value.code == ErrorCode.BAD_CAMERA


@pytest.mark.parametrize("name", ["fx", "width", "frame", "distortion_model"])
def test_yaml_aliases_are_not_written_out(tmp_path: Path, name: str) -> None:
    lists = ["&a0 [x, x]", *(f"&a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    others = "".join(f"{key}: {value}\n" for key, value in CAMERA.items() if key != name)
    path = write(tmp_path / "c.yaml", f"{others}{name}: [{', '.join(lists)}]\n")
    with pytest.raises(RoboReferError, match=name.partition("_")[0]) as error:
        read_camera(path)
    assert len(error.value.message) < 400 + len(str(path))


def test_a_frame_may_be_a_serial_number(tmp_path: Path) -> None:
    fields = {**CALIBRATION, "camera_name": 12345}
    assert read_camera(write(tmp_path / "c.yaml", yaml.safe_dump(fields))).frame == "12345"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@given(name=st.sampled_from([*CAMERA, "distortion", "distortion_model", "T_world_cam", "frame"]),
       value=VALUES)  # fmt: skip
def test_no_camera_value_escapes_as_another_error(
    name: str, value: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = write(tmp_path_factory.getbasetemp() / "any.json", {**CAMERA, name: value})
    with suppress(RoboReferError):
        read_camera(path)


@given(data=st.binary(max_size=300), prefix=st.sampled_from([b"", b"k: ", b"{", b"%YAML "]))
def test_no_bytes_escape_as_another_error(
    data: bytes, prefix: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("any.json", "any.yaml"):
        path = write(tmp_path_factory.getbasetemp() / name, prefix + data)
        with pytest.raises(RoboReferError):
            read_camera(path)


LAYOUTS = [
    files.encode(".png", RGB),
    files.encode(".png", MM),
    files.encode(".jpg", RGB),
    files.encode(".bmp", RGB),
    files.encode(".tiff", RGB),
    files.encode(".tiff", DEPTH),
    files.encode(".webp", RGB),
    cv2.imencode(".webp", RGB, [cv2.IMWRITE_WEBP_QUALITY, 50])[1].tobytes(),
    cv2.imencode(".webp", np.dstack([RGB, RGB[..., 0]]))[1].tobytes(),
    cv2.imencode(".jpg", RGB, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes(),
]


@pytest.mark.parametrize("number", range(len(LAYOUTS)))
def test_size_is_read_from_the_header(number: int) -> None:
    data = LAYOUTS[number]
    assert image_format(data) is not None
    assert image_size(data) == (WIDTH, HEIGHT)


def bmp_of_16_bit_sides(width: int, height: int) -> bytes:
    """A BMP with the first version of its header, and a picture of one byte."""
    header = struct.pack("<IHHHH", 12, width, height, 1, 24)
    return b"BM" + struct.pack("<IHHI", 27, 0, 0, 26) + header + b"\0"


def test_old_headers_of_bmp_do_not_hide_a_huge_picture() -> None:
    assert image_size(bmp_of_16_bit_sides(WIDTH, HEIGHT)) == (WIDTH, HEIGHT)
    with pytest.raises(RoboReferError, match="megapixels"):
        decode(Path("x"), bmp_of_16_bit_sides(30_000, 32_768), "image", ErrorCode.BAD_IMAGE)


def tiff_of_two_sizes(first: tuple[int, int], second: tuple[int, int]) -> bytes:
    """A TIFF whose directory states its size twice."""
    entries = [
        struct.pack("<HHII", tag, 4, 1, side)
        for size in (first, second)
        for tag, side in zip((256, 257), size, strict=True)
    ]
    return struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)


def test_a_second_size_of_a_tiff_does_not_hide_a_huge_picture() -> None:
    with pytest.raises(RoboReferError, match="damaged header"):
        decode(Path("x"), tiff_of_two_sizes((30_000, 32_768), (16, 16)), "i", ErrorCode.BAD_IMAGE)


@pytest.mark.parametrize("sides", [(0, 5), (5, 0), (-5, 5), (-70_000, -70_000)])
def test_sides_that_no_picture_has_are_a_damaged_header(sides: tuple[int, int]) -> None:
    data = bytearray(files.encode(".bmp", RGB))
    data[18:26] = struct.pack("<ii", *sides)
    with pytest.raises(RoboReferError, match="damaged header"):
        decode(Path("x"), bytes(data), "image", ErrorCode.BAD_IMAGE)


def test_what_others_write_meanwhile_is_kept_and_no_damage(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real, line = cv2.imdecode, "ERROR: a log of another thread: the database is corrupt\n"

    def imdecode(*arguments: Any) -> Any:
        os.write(2, line.encode())
        return real(*arguments)

    monkeypatch.setattr(cv2, "imdecode", imdecode)
    assert decode(Path("x"), LAYOUTS[0], "image", ErrorCode.BAD_IMAGE).array.shape == RGB.shape
    assert capfd.readouterr().err == line


def test_pictures_are_read_where_there_is_no_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert decode(Path("x"), LAYOUTS[2], "image", ErrorCode.BAD_IMAGE).array.shape == RGB.shape


@pytest.mark.parametrize("number", range(len(LAYOUTS)))
@settings(max_examples=30)
@given(cut=st.floats(0, 1), flip=st.integers(0, 255))
def test_damaged_images_are_refused_or_decoded_never_crash(
    number: int, cut: float, flip: int
) -> None:
    data = bytearray(LAYOUTS[number])
    data[int(cut * (len(data) - 1))] ^= flip
    for candidate in (bytes(data), bytes(data[: int(cut * len(data))])):
        with suppress(RoboReferError):
            assert decode(Path("x"), candidate, "image", ErrorCode.BAD_IMAGE).array.size
