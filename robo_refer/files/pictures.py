"""Image files -> arrays, with damaged, huge and foreign files refused in one sentence."""

from __future__ import annotations

import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.image_header import ImageFormat, image_format, image_size
from robo_refer.types import MAX_IMAGE_PIXELS

MAX_FILE_BYTES = 512 * 2**20
# What libjpeg and libtiff write to stderr while they hand out half a picture as if it were whole.
_SIGNS_OF_DAMAGE = ("corrupt", "premature", "truncated")
# How the lines of libjpeg, libpng, libtiff and OpenCV begin.
_LIBRARIES = ("Corrupt JPEG", "Premature end", "Invalid ", "Unsupported ", "Warning: ", "libpng ",
              "TIFF", "[ WARN:", "[ INFO:", "[ERROR:")  # fmt: skip
_STDERR = Lock()  # one at a time: file descriptor 2 is the whole process's


@dataclass(frozen=True)
class Picture:
    """A decoded image file.

    Attributes:
        array: (height, width) or (height, width, channels), channels in OpenCV's order (BGR).
        format: what kind of file it was.
    """

    array: NDArray[Any]
    format: ImageFormat


def read_bytes(path: Path, what: str) -> bytes:
    """Return the content of a file.

    Args:
        path: the file.
        what: what it is to the user, for the sentence ("image", "depth map", "camera").

    Raises:
        RoboReferError: BAD_FILE when it is missing, no file, unreadable, empty or far too big.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)  # never more, were it /dev/zero
    except FileNotFoundError:
        raise _bad_file(f"There is no {what} file {path}.", "Check the path.") from None
    except IsADirectoryError:
        raise _bad_file(f"{path} is a folder, not a {what} file.", "Name a file in it.") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _bad_file(
            f"The {what} file {path} cannot be read: {reason}.", "Check the path and permissions."
        ) from None
    if len(data) > MAX_FILE_BYTES:
        raise _bad_file(
            f"The {what} file {path} is larger than {MAX_FILE_BYTES // 2**20} MiB.", "Downscale it."
        )
    if not data:
        raise _bad_file(f"The {what} file {path} is empty.", "Record or copy it again.")
    return data


def decode(path: Path, data: bytes, what: str, code: ErrorCode) -> Picture:
    """Return the pixels of an image file as they are stored, without any conversion of values.

    JPEG is turned upright by its EXIF orientation; nothing else carries one here.

    Raises:
        RoboReferError: `code` when it is not a known image, damaged, or over `MAX_IMAGE_PIXELS`.
    """
    kind = image_format(data)
    if kind is None:
        raise RoboReferError(
            code,
            f"The {what} {path} is not an image that is known here.",
            "Use PNG, JPEG, TIFF, BMP or WebP.",
        )
    _check_size(image_size(data), path, what, code)
    damaged = RoboReferError(
        code, f"The {what} {path} is damaged and cannot be decoded.", "Record or copy it again."
    )
    if kind == "PNG" and not _png_is_whole(data):
        raise damaged
    flags = cv2.IMREAD_COLOR if kind == "JPEG" else cv2.IMREAD_UNCHANGED
    with _captured_stderr() as messages:
        try:
            array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error:
            array = None
    said = " ".join(messages).lower()
    if array is None or any(sign in said for sign in _SIGNS_OF_DAMAGE):
        raise damaged
    return Picture(np.asarray(array), kind)


def _bad_file(message: str, remedy: str) -> RoboReferError:
    return RoboReferError(ErrorCode.BAD_FILE, message, remedy)


def _check_size(size: tuple[int, int] | None, path: Path, what: str, code: ErrorCode) -> None:
    if size is None:
        raise RoboReferError(
            code, f"The {what} {path} has a damaged header.", "Record or copy it again."
        )
    width, height = size
    if width * height > MAX_IMAGE_PIXELS:
        raise RoboReferError(
            code,
            f"The {what} is {width}x{height}, {width * height / 1e6:.0f} megapixels; "
            f"the limit is {MAX_IMAGE_PIXELS / 1e6:.0f}.",
            "Downscale it (and its depth and intrinsics) first.",
        )


def _png_is_whole(data: bytes) -> bool:
    """Return whether every chunk is there with its checksum: libpng decodes some that are not."""
    position = 8
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(memoryview(data)[position + 4 : end]) != checksum:
            return False
        if data[position + 4 : position + 8] == b"IEND":
            return True
        position = end + 4
    return False


@contextmanager
def _captured_stderr() -> Iterator[list[str]]:
    """Catch what C libraries write to file descriptor 2; the yielded list gets it at the end.

    Lines of others, such as another thread's log, are written when the block has ended.
    """
    messages: list[str] = []
    with _STDERR, tempfile.TemporaryFile() as log:
        if sys.stderr is not None:  # as it is where the descriptor was closed from the start
            sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield messages
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            log.seek(0)
            for line in log:
                text = line.decode(errors="replace")
                if not text.strip() or text.startswith(_LIBRARIES):
                    messages.append(text)
                else:
                    os.write(2, line)
