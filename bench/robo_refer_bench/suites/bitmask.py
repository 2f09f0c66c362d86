"""A mask with one bit per pixel: a thousand masks of 640x480 take 38 MB."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError


@dataclass(frozen=True, eq=False)
class BitMask:
    """A (height, width) mask, read by pixel as an array is: `mask[v, u]`.

    Attributes:
        shape: (height, width).
        rows: (height, ceil(width / 8)) uint8, the leftmost pixel in the highest bit.
    """

    shape: tuple[int, int]
    rows: NDArray[np.uint8]

    @classmethod
    def of(cls, mask: NDArray[Any]) -> BitMask:
        """Pack a mask: any value above 0 belongs to it; of several channels the first decides.

        Raises:
            RoboReferError: BAD_IMAGE when it is no image.
        """
        first = mask[:, :, 0] if mask.ndim == 3 else mask
        if first.ndim != 2 or not first.size:
            raise RoboReferError(
                ErrorCode.BAD_IMAGE,
                f"A mask must be an image, got shape {mask.shape}.",
                "Restore the file.",
            )
        return cls((first.shape[0], first.shape[1]), np.packbits(first > 0, axis=1))

    def __getitem__(self, pixel: tuple[Any, Any]) -> Any:
        """Return 0 or 1 at row v, column u; both may be arrays of integers."""
        v, u = pixel
        return (self.rows[v, u >> 3] >> (7 - (u & 7))) & 1

    @cached_property
    def digest(self) -> bytes:
        """A hash of size and pixels; computed once, as many items may share a mask."""
        return hashlib.blake2b(repr(self.shape).encode() + self.rows.tobytes()).digest()

    def array(self) -> NDArray[np.bool_]:
        """Return it as a (height, width) bool array."""
        unpacked = np.unpackbits(self.rows, axis=1, count=self.shape[1])
        return unpacked.astype(np.bool_)
