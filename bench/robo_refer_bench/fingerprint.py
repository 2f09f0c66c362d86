"""A short hash of files, by which two runs know that they used the same model and data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError

_SAMPLED_BYTES = 1 << 20


def fingerprint(files: Iterable[Path]) -> str:
    """Return 16 hex digits of the files' names, sizes, and first and last megabyte.

    Not every byte is read: checkpoints of 16 GB take no longer than those of 16 MB, and training
    changes all of a tensor file.

    Raises:
        RoboReferError: BAD_FILE when one cannot be read.
    """
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda item: item.name):
        try:
            size = path.stat().st_size
            digest.update(f"{path.name}\0{size}\0".encode())
            with path.open("rb") as file:
                digest.update(file.read(_SAMPLED_BYTES))
                file.seek(max(size - _SAMPLED_BYTES, 0))
                digest.update(file.read(_SAMPLED_BYTES))
        except OSError as error:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"{path} cannot be read: {error.strerror}.",
                "Check its name and permissions.",
            ) from error
    return digest.hexdigest()[:16]
