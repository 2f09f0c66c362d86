"""One process at a time writes an output."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Hold a file or folder that is written; a process that is killed lets it go.

    Args:
        output: it need not exist. The lock is a hidden file beside it.

    Raises:
        RoboReferError: BUSY when another process holds it, BAD_FILE when nothing can be written
            there.
    """
    from filelock import FileLock, Timeout

    output = output.resolve()
    lock = FileLock(output.with_name(f".{output.name}.lock"))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RoboReferError(
            ErrorCode.BUSY,
            f"Another process is writing {output}.",
            "Wait until it has ended, or name another output.",
        ) from error
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{output} cannot be written: {error.strerror}.",
            "Name a place where you may write.",
        ) from error
    try:
        yield
    finally:
        lock.release()
