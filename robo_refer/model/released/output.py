"""What both directions of a conversion share: a folder that is whole or not there, and a report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError


@dataclass(frozen=True)
class Conversion:
    """What was done.

    Attributes:
        tensors: number of tensors written.
        size_bytes: their size.
        notes: what is not a plain copy, one sentence each.
    """

    tensors: int
    size_bytes: int
    notes: tuple[str, ...] = ()

    def report(self, out: Path) -> str:
        """Return what the command prints."""
        first = f"{out}: {self.tensors} tensors, {self.size_bytes / 1e6:.1f} MB"
        return "\n".join([first, *(f"  {note}" for note in self.notes)])


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Yield a folder that becomes `out` when the block ends well, and vanishes when it does not.

    Raises:
        RoboReferError: BAD_FILE when `out` exists or cannot be written.
    """
    if out.exists():
        raise RoboReferError(
            ErrorCode.BAD_FILE, f"{out} exists already.", "Name a folder that does not exist yet."
        )
    part = out.with_name(f"{out.name}.part-{os.getpid()}")
    try:
        part.mkdir(parents=True)
        yield part
        part.rename(out)
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{out} cannot be written: {error.strerror or error}.",
            "Name a place where you may write and that has room.",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
