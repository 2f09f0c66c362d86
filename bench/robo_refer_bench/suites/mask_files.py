"""Mask files -> `BitMask`, decoded once and kept within a fixed amount of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer_bench.suites.bitmask import BitMask
from robo_refer_bench.suites.reading import bad_layout, decode, read_bytes

MAX_CACHE_BYTES = 128 * 2**20
_FLAGS = cv2.IMREAD_UNCHANGED  # as stored, without EXIF rotation
_PNG_COLOUR_TYPE = 25  # its place in the header; 3 is a palette


class MaskCache:
    """Keeps the masks that were used last; a thousand runs on one suite decode each mask once."""

    def __init__(self, max_bytes: int = MAX_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._masks: OrderedDict[tuple[str, int, int], BitMask] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, path: Path) -> BitMask:
        """Return the mask in a file; raises BAD_FILE or BAD_IMAGE."""
        try:
            state = path.stat()
        except OSError as error:
            raise bad_layout(f"{path} cannot be read: {error.strerror}") from error
        # A file that was replaced is another file.
        return self.get(
            (str(path), state.st_mtime_ns, state.st_size),
            lambda: decode_mask(read_bytes(path), str(path)),
        )

    def get(self, key: tuple[str, int, int], make: Callable[[], BitMask]) -> BitMask:
        """Return the mask of that key, made now if it is not kept."""
        with self._lock:
            if key in self._masks:
                self._masks.move_to_end(key)
                return self._masks[key]
        mask = make()
        with self._lock:
            if key not in self._masks:
                self._masks[key] = mask
                self._bytes += mask.rows.nbytes
            while self._bytes > self._max_bytes:
                self._bytes -= self._masks.popitem(last=False)[1].rows.nbytes
        return mask


MASKS = MaskCache()


def mask_file(path: Path) -> Callable[[], BitMask]:
    """Return what reads the mask of a file when it is needed."""
    return partial(MASKS.read, path)


def decode_mask(data: bytes, where: str) -> BitMask:
    """Return an encoded mask: any value above 0 of the first channel, as published evaluators do.

    Raises:
        RoboReferError: BAD_IMAGE.
    """
    image = decode(data, _FLAGS, where)
    first = _first_of_palette(data)
    if first is not None:  # of a picture with a palette, the number of the colour is the value
        return BitMask.of((image[:, :, 2::-1] != first).any(axis=2))
    if image.ndim == 3 and image.shape[2] >= 3:
        image = image[:, :, 2]  # OpenCV keeps red, the first channel of the file, third
    return BitMask.of(image)


def _first_of_palette(data: bytes) -> NDArray[np.uint8] | None:
    """Return the RGB colour of value 0 of a PNG with a palette, None for any other file."""
    start = data.find(b"PLTE") if data[_PNG_COLOUR_TYPE : _PNG_COLOUR_TYPE + 1] == b"\x03" else -1
    if start < 0 or not data.startswith(b"\x89PNG"):
        return None
    return np.frombuffer(data[start + 4 : start + 7], np.uint8)
