"""`robo-refer point`: good answers for people and machines, one line for every bad input."""

from __future__ import annotations

import inspect
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cli_files as files
import cv2
import numpy as np
import pytest
from cli_files import CAMERA, FakeReferrer, GoodFiles, write

from robo_refer.checkpoint_files import DECODER, ONNX_CONFIG
from robo_refer.cli.main import main

ROOT = Path(__file__).parents[2]
Status = tuple[int, str, str]


@pytest.fixture
def good(tmp_path: Path) -> GoodFiles:
    return GoodFiles(tmp_path)


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Status]:
    """Run the command with a stand-in for the model: (exit status, stdout, stderr)."""

    def call(argv: list[str], status: str = "ok") -> Status:
        loader = SimpleNamespace(from_pretrained=lambda name, **_: FakeReferrer(status))
        monkeypatch.setitem(sys.modules, "robo_refer.referrer", SimpleNamespace(Referrer=loader))
        return execute(argv, capfd)

    return call


def execute(argv: list[str], capfd: pytest.CaptureFixture[str]) -> Status:
    code = 0
    try:
        main(argv)
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capfd.readouterr()
    return code, out, err


def test_the_stand_in_is_called_like_the_real_one() -> None:
    from robo_refer.referrer import Referrer

    assert inspect.signature(FakeReferrer.refer) == inspect.signature(Referrer.refer)
    assert next(iter(inspect.signature(Referrer.from_pretrained).parameters)) == "name_or_path"


def test_block_for_people_has_pixel_metres_and_doubt(good: GoodFiles, run: Any) -> None:
    code, out, err = run([*good.arguments(), "--think"])
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == '"the red mug"'
    assert "40, 30" in lines[1]
    assert "confidence 0.50" in lines[1]
    assert lines[2].startswith("  camera     0.100    0.200    1.006 m")
    assert "±2 mm" in out
    assert "1. box at 20, 30" in out
    assert "80 ms" in out


def test_world_frame_is_shown_where_the_pose_is_known(good: GoodFiles, run: Any) -> None:
    pose = np.eye(4).tolist()
    camera = write(good.folder / "posed.json", {**CAMERA, "T_world_cam": pose})
    _, out, _ = run(good.arguments(camera=camera))
    assert "  world      1.000    2.000    3.000 m" in out


def test_json_is_the_referral(good: GoodFiles, run: Any) -> None:
    code, out, _ = run([*good.arguments(), "--json"])
    answer = json.loads(out)
    assert code == 0
    assert answer["status"] == "ok"
    assert answer["points"][0]["uv_px"] == [40.0, 30.0]
    assert answer["points"][0]["p_cam_m"][2] == pytest.approx(1.006, abs=1e-3)


def test_without_depth_it_answers_in_pixels_and_says_why(good: GoodFiles, run: Any) -> None:
    code, out, _ = run(good.arguments(depth=None, camera=None))
    assert code == 0
    assert "40, 30" in out
    assert "needs depth: add --depth" in out


def test_without_camera_it_says_what_3d_needs(good: GoodFiles, run: Any) -> None:
    code, out, _ = run(good.arguments(camera=None))
    assert code == 0
    assert "needs the intrinsics: add --camera" in out


def test_a_refusal_is_an_answer(good: GoodFiles, run: Any) -> None:
    code, out, _ = run(good.arguments(), status="no_target")
    assert code == 0
    assert "nothing in the image matches" in out
    assert "pixel" not in out


@pytest.mark.parametrize("name", ["answer.png", "answer.JPG"])
def test_picture_is_written(good: GoodFiles, run: Any, name: str) -> None:
    path = good.folder / name
    code, out, _ = run(good.arguments(out=path))
    assert code == 0
    assert str(path) in out
    assert cv2.imread(str(path)).shape[1] > files.WIDTH


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return (
        data[:middle]
        + bytes(255 - value for value in data[middle : middle + 40])
        + data[middle + 40 :]
    )


class _Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, ("touch /tmp/robo_refer_was_here",))


RGB = files.rgb_array()
DEPTH = files.depth_array_m()
MM = np.rint(DEPTH * 1000).astype(np.uint16)
PNG, JPG = files.encode(".png", RGB), files.encode(".jpg", RGB)

# (what is wrong, option, file name, content, code, a word of the sentence or remedy)
BAD_FILES: list[tuple[str, str, str, Any, str, str]] = [
    ("missing image", "rgb", "none.png", None, "BAD_FILE", "no image file"),
    ("empty image", "rgb", "a.png", b"", "BAD_FILE", "empty"),
    ("not an image", "rgb", "a.png", b"hello, world" * 9, "BAD_IMAGE", "PNG, JPEG"),
    ("header only", "rgb", "a.png", PNG[:20], "BAD_IMAGE", "damaged"),
    ("cut PNG", "rgb", "a.png", PNG[: len(PNG) // 2], "BAD_IMAGE", "damaged"),
    ("flipped PNG", "rgb", "a.png", _flipped(PNG), "BAD_IMAGE", "damaged"),
    ("cut JPEG", "rgb", "a.jpg", JPG[: len(JPG) // 2], "BAD_IMAGE", "damaged"),
    ("flipped JPEG", "rgb", "a.jpg", _flipped(JPG), "BAD_IMAGE", "damaged"),
    ("1-pixel image", "rgb", "a.png", RGB[:1, :1], "BAD_IMAGE", "1x1"),
    ("50 megapixels", "rgb", "a.png", files.png_claiming(10_000, 5_000), "BAD_IMAGE", "megapixels"),
    ("16-bit colour", "rgb", "a.png", RGB.astype(np.uint16), "BAD_IMAGE", "8 bits"),
    ("transparent", "rgb", "a.png", np.dstack([RGB, RGB[..., 0]]), "BAD_IMAGE", "transparent"),
    ("missing depth", "depth", "none.png", None, "BAD_FILE", "no depth map file"),
    ("other size", "depth", "d.png", MM[:-1], "BAD_DEPTH", "Register depth"),
    ("all zero", "depth", "d.png", MM * 0, "BAD_DEPTH", "all zero or NaN"),
    ("all NaN", "depth", "d.npy", DEPTH * np.float32(np.nan), "BAD_DEPTH", "all zero or NaN"),
    ("constant", "depth", "d.png", MM * 0 + 700, "BAD_DEPTH", "constant"),
    ("negative", "depth", "d.npy", -DEPTH, "BAD_DEPTH", "negative"),
    ("8-bit depth", "depth", "d.png", RGB[..., 0], "BAD_DEPTH", "--depth-unit"),
    ("integer .npy", "depth", "d.npy", MM, "BAD_DEPTH", "--depth-unit"),
    ("integer TIFF", "depth", "d.tiff", MM, "BAD_DEPTH", "--depth-unit"),
    ("mm as floats", "depth", "d.npy", DEPTH * 1000, "BAD_DEPTH", "--depth-unit mm"),
    ("relative depth", "depth", "d.png", np.dstack([RGB[..., 0]] * 3), "BAD_DEPTH", "relative"),
    ("colour as depth", "depth", "d.png", RGB, "BAD_DEPTH", "channels"),
    ("JPEG depth", "depth", "d.jpg", RGB[..., 0], "BAD_DEPTH", "JPEG"),
    ("cut .npy", "depth", "d.npy", b"\x93NUMPY\x01\x00v\x00{'descr'", "BAD_DEPTH", "whole"),
    ("3-D .npy", "depth", "d.npy", DEPTH[None], "BAD_DEPTH", "(1, 60, 80)"),
    ("object .npy", "depth", "d.npy", np.array([[_Payload()]]), "BAD_DEPTH", "type object"),
    ("pickle", "depth", "d.npy", pickle.dumps(_Payload()), "BAD_DEPTH", "PNG, JPEG"),
    ("large depth", "depth", "d.png", files.png_claiming(10_000, 5_000), "BAD_DEPTH", "megapixels"),
    ("missing camera", "camera", "none.json", None, "BAD_FILE", "no camera file"),
    ("no JSON", "camera", "c.json", "fx: 1", "BAD_CAMERA", "cannot be parsed"),
    ("not UTF-8", "camera", "c.json", b"\xff\xfe{}", "BAD_CAMERA", "cannot be parsed"),
    ("a list", "camera", "c.json", "[1, 2]", "BAD_CAMERA", "named values"),
    ("no cy", "camera", "c.json", {k: CAMERA[k] for k in CAMERA if k != "cy"}, "BAD_CAMERA", "cy"),
    ("typo", "camera", "c.json", {**CAMERA, "heigth": 1}, "BAD_CAMERA", "mean 'height'"),
    ("camera size", "camera", "c.json", {**CAMERA, "width": 81}, "BAD_CAMERA", "80x60"),
    ("zero focal", "camera", "c.json", {**CAMERA, "fx": 0}, "BAD_CAMERA", "positive"),
    ("NaN focal", "camera", "c.json", {**CAMERA, "fx": float("nan")}, "BAD_CAMERA", "fx"),
    ("text focal", "camera", "c.json", {**CAMERA, "fx": "70"}, "BAD_CAMERA", "fx = '70'"),
    ("half pixel", "camera", "c.json", {**CAMERA, "width": 80.5}, "BAD_CAMERA", "whole"),
    ("3x4 pose", "camera", "c.json", {**CAMERA, "T_world_cam": [[1, 0, 0, 0]] * 3}, "BAD_CAMERA",
     "4x4"),
    ("mirror", "camera", "c.json", {**CAMERA, "T_world_cam": np.diag([1, 1, -1, 1]).tolist()},
     "BAD_CAMERA", "rotation"),
    ("lens model", "camera", "c.json", {**CAMERA, "distortion_model": "fisheye"}, "BAD_CAMERA",
     "equidistant"),
    ("coefficients", "camera", "c.json", {**CAMERA, "distortion": [0.1]}, "BAD_CAMERA", "4 or 5"),
    ("bad YAML", "camera", "c.yaml", "k: [1, 2", "BAD_CAMERA", "cannot be parsed"),
    ("YAML code", "camera", "c.yaml", "!!python/object/apply:os.getcwd []", "BAD_CAMERA", "parsed"),
    ("short K", "camera", "c.yaml", "{k: [1], width: 80, height: 60}", "BAD_CAMERA", "9 numbers"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("option", "name", "content", "code", "word"),
    [case[1:] for case in BAD_FILES],
    ids=[case[0] for case in BAD_FILES],
)
def test_bad_file_is_one_line_with_code_and_remedy(
    good: GoodFiles, run: Any, option: str, name: str, content: Any, code: str, word: str
) -> None:
    path = good.folder / name
    if content is not None:
        write(path, content)
    assert_one_line(run(good.arguments(**{option: path})), code, word)


def assert_one_line(result: Status, code: str, word: str) -> None:
    status, out, err = result
    assert status == 2
    assert out == ""
    assert err.startswith(f"robo-refer: {code}: ")
    assert err.count("\n") == 1
    assert err.endswith(".\n")
    assert word in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("changed", "code", "word"),
    [
        ({"instruction": ""}, "BAD_INSTRUCTION", "empty"),
        ({"instruction": " \n\t"}, "BAD_INSTRUCTION", "empty"),
        ({"instruction": "?!"}, "BAD_INSTRUCTION", "empty"),
        ({"instruction": "mug " * 10_000}, "BAD_INSTRUCTION", "limit"),
        ({"instruction": "the \udcff mug"}, "BAD_INSTRUCTION", "UTF-8"),
        ({"rgb": "/"}, "BAD_FILE", "folder"),
        ({"rgb": "/etc/passwd/x.png"}, "BAD_FILE", "cannot be read"),
        ({"rgb": "a\0b.png"}, "BAD_FILE", "cannot be read"),
        ({"depth": None, "depth_unit": "mm"}, "BAD_REQUEST", "--depth"),
        ({"out": "answer.gif"}, "BAD_FILE", ".png nor .jpg"),
        ({"out": "/no/such/folder/a.png"}, "BAD_FILE", "no folder"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_bad_argument_is_one_line(
    good: GoodFiles, run: Any, changed: dict[str, Any], code: str, word: str
) -> None:
    assert_one_line(run(good.arguments(**changed)), code, word)


def test_bad_input_is_json_for_machines(good: GoodFiles, run: Any) -> None:
    code, out, err = run([*good.arguments(rgb=good.folder / "none.png"), "--json"])
    assert code == 2
    assert json.loads(out)["status"] == "bad_file"
    assert err.startswith("robo-refer: BAD_FILE: ")


def test_missing_model_is_one_line(good: GoodFiles, capfd: pytest.CaptureFixture[str]) -> None:
    result = execute(good.arguments(model=good.folder / "nothing"), capfd)
    assert_one_line(result, "BAD_CHECKPOINT", "nano")


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"{}", b'{"name": "x"}', b"\xff"])
def test_corrupt_weights_are_one_line(
    good: GoodFiles, capfd: pytest.CaptureFixture[str], config: bytes
) -> None:
    write(good.folder / ONNX_CONFIG, config)
    write(good.folder / DECODER, b"no weights")
    result = execute(good.arguments(model=good.folder), capfd)
    assert_one_line(result, "BAD_CHECKPOINT", "export")


def test_pickled_files_are_not_run(good: GoodFiles, run: Any) -> None:
    trace = Path("/tmp/robo_refer_was_here")
    for content in (np.array([[_Payload()]]), pickle.dumps(_Payload())):
        run(good.arguments(depth=write(good.folder / "d.npy", content)))
    assert not trace.exists()


def test_arguments_that_are_not_utf8_end_in_one_line(good: GoodFiles) -> None:
    argv = [os.fsencode(value) for value in good.arguments(instruction="the \udcff mug")]
    done = subprocess.run(
        [sys.executable, "-m", "robo_refer.cli.main", *argv],
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith(b"robo-refer: BAD_INSTRUCTION: ")
    assert done.stderr.count(b"\n") == 1
