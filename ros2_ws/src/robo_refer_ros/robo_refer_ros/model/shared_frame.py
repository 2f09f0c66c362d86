"""Hands a frame to another process in shared memory: through a pipe, 2 MB take many turns."""

from __future__ import annotations

import os
from dataclasses import dataclass
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import CameraModel, Frame

_FOLDER = Path("/dev/shm")


@dataclass(frozen=True)
class SharedRequest:
    """A request whose images lie in shared memory: colour first, then depth.

    Attributes:
        block: name of the shared memory.
        width, height: of the images.
        has_depth: whether there is a depth image.
        camera, stamp_s, instruction, reason: see `Frame` and `Request`.
    """

    block: str
    width: int
    height: int
    has_depth: bool
    camera: CameraModel | None
    stamp_s: float
    instruction: str
    reason: bool

    def request(self, reader: FrameReader) -> Request:
        """Return the request; its images are valid until it has been answered."""
        rgb, depth_m = _arrays(reader.block(self.block), self.width, self.height, self.has_depth)
        frame = Frame(rgb, depth_m, self.camera, self.stamp_s)
        return Request(frame, self.instruction, self.reason)


class FrameWriter:
    """Writes one request after the other; the one before must have been answered."""

    def __init__(self) -> None:
        self._block: SharedMemory | None = None

    def write(self, request: Request) -> SharedRequest:
        """Return what to send to the other process.

        Raises:
            RoboReferError: BACKEND_UNREACHABLE when there is no memory for it.
        """
        frame = request.frame
        has_depth = frame.depth_m is not None
        pixels = frame.width * frame.height
        block = self._block_of(_aligned(pixels * 3) + pixels * 4 * has_depth)
        rgb, depth_m = _arrays(block, frame.width, frame.height, has_depth)
        rgb[:] = frame.rgb
        if depth_m is not None and frame.depth_m is not None:
            depth_m[:] = frame.depth_m
        return SharedRequest(
            block=block.name,
            width=frame.width,
            height=frame.height,
            has_depth=has_depth,
            camera=frame.camera,
            stamp_s=frame.stamp_s,
            instruction=request.instruction,
            reason=request.reason,
        )

    def close(self) -> None:
        """Give the memory back."""
        block, self._block = self._block, None
        if block is not None:
            block.close()
            block.unlink()

    def _block_of(self, size: int) -> SharedMemory:
        if self._block is None or self._block.size < size:
            self.close()
            self._block = _allocated(size)
        return self._block


class FrameReader:
    """Opens the shared memory that requests name."""

    def __init__(self) -> None:
        self._open: SharedMemory | None = None

    def block(self, name: str) -> SharedMemory:
        """Return the shared memory of that name; what was open before is closed."""
        if self._open is None or self._open.name != name:
            # The one before is closed with the last array that lies in it.
            self._open = SharedMemory(name)
        return self._open


def _allocated(size: int) -> SharedMemory:
    """Return shared memory that is there: writing to what is only promised would end the node."""
    try:
        block = SharedMemory(create=True, size=size)
        try:
            with (_FOLDER / block.name).open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, size)
        except OSError:
            block.close()
            block.unlink()
            raise
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BACKEND_UNREACHABLE,
            f"There is no shared memory for an image ({size / 2**20:.1f} MiB): {error.strerror}.",
            f"Make room in {_FOLDER}; a container needs --ipc=host or a larger --shm-size.",
        ) from error
    return block


def _arrays(
    block: SharedMemory, width: int, height: int, has_depth: bool
) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
    pixels = width * height
    rgb = np.frombuffer(block.buf, np.uint8, pixels * 3).reshape(height, width, 3)
    if not has_depth:
        return rgb, None
    # At the start of a page: numbers of four bytes must not lie across.
    depth_m = np.frombuffer(block.buf, np.float32, pixels, _aligned(pixels * 3))
    return rgb, depth_m.reshape(height, width)


def _aligned(size: int) -> int:
    return -(-size // 4096) * 4096
