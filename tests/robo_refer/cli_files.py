"""Files for the tests of the command line: a small good scene, and many ways to spoil it."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.types import Frame, Referral, ReferredPoint, Step

WIDTH, HEIGHT = 80, 60
CAMERA = {"fx": 70.0, "fy": 71.0, "cx": 39.5, "cy": 29.5, "width": WIDTH, "height": HEIGHT}


def rgb_array() -> NDArray[np.uint8]:
    """A picture with detail in every corner, (60, 80, 3) RGB."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def depth_array_m() -> NDArray[np.float32]:
    """A slope from 0.5 to 1.5 m with a hole, (60, 80)."""
    depth = np.tile(np.linspace(0.5, 1.5, WIDTH, dtype=np.float32), (HEIGHT, 1))
    depth[:5, :5] = 0
    return depth


def encode(extension: str, image: NDArray[Any]) -> bytes:
    """Encode with OpenCV (BGR)."""
    done, data = cv2.imencode(extension, image)
    assert done
    return data.tobytes()


def write(path: Path, content: bytes | str | dict[str, Any] | NDArray[Any]) -> Path:
    """Write bytes, text, JSON, or an array (as .npy, or as the image that the name says)."""
    if isinstance(content, dict):
        content = json.dumps(content)
    if isinstance(content, np.ndarray):
        if path.suffix == ".npy":
            np.save(path, content)
            return path
        content = encode(path.suffix, content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header states a size, with hardly any data behind it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


class GoodFiles:
    """The paths of a scene without fault: image, depth in mm, camera."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rgb = write(folder / "rgb.png", rgb_array()[..., ::-1])
        self.depth = write(folder / "depth.png", np.rint(depth_array_m() * 1000).astype(np.uint16))
        self.camera = write(folder / "camera.json", CAMERA)

    def arguments(self, instruction: str = "the red mug", **replaced: Any) -> list[str]:
        """The argv of `robo-refer` with some paths replaced; None leaves an option out."""
        options: dict[str, Any] = {"rgb": self.rgb, "depth": self.depth, "camera": self.camera}
        options.update(replaced)
        argv = ["point"]
        for name, value in options.items():
            if value is not None:
                argv += [f"--{name.replace('_', '-')}", str(value)]
        return [*argv, "--", instruction] if instruction.startswith("-") else [*argv, instruction]


class FakeReferrer:
    """Answers the image centre, with the depth that is there: stands in for a model."""

    def __init__(self, status: str = "ok") -> None:
        self.status = status

    def refer(self, frame: Frame, instruction: str, think: bool = False) -> Referral:
        uv = (frame.width // 2, frame.height // 2)
        uv_norm = ((uv[0] + 0.5) / frame.width, (uv[1] + 0.5) / frame.height)
        point = ReferredPoint(uv_px=uv, uv_norm=uv_norm, score=0.5)
        if frame.depth_m is not None and frame.camera is not None:
            z = float(frame.depth_m[uv[1], uv[0]])
            point = ReferredPoint(
                uv, uv_norm, 0.5, "ok", z, 1.0, (0.1, 0.2, z),
                ((1e-6, 0, 0), (0, 1e-6, 0), (0, 0, 4e-6)),
                None if frame.camera.T_world_cam is None else "world",
                None if frame.camera.T_world_cam is None else (1.0, 2.0, 3.0),
            )  # fmt: skip
        steps = (Step("position", "box", (0.25, 0.5)),) if think else ()
        points = (point,) if self.status == "ok" else ()
        return Referral(instruction, "fake", self.status, points, steps, "", {"model": 0.08})
