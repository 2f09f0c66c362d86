"""Worker processes of this machine: one thread each, heard of, stopped with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


@contextmanager
def single_threaded_children() -> Iterator[None]:
    """Processes started inside use one thread each: libraries read these names when they load."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Worker:
    """What a worker process shares with its parent: samples made so far, and the wish to stop."""

    done: Any = None
    stop: Any = None


def start_worker(done: Any, stop: Any) -> None:
    """Prepare a worker process; `done` is a shared count of samples, `stop` a shared event."""
    import cv2

    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears Ctrl-C and sets `stop`
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _Worker.done, _Worker.stop = done, stop


def made_one() -> None:
    """Count a sample; raises CANCELLED when the run was stopped."""
    with _Worker.done.get_lock():
        _Worker.done.value += 1
    if _Worker.stop.is_set():  # do not keep the user waiting
        raise RoboReferError(ErrorCode.CANCELLED, "The run was stopped.", "Start it again.")


def _end_with_parent() -> None:
    """Leave no orphans behind when the parent is killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
