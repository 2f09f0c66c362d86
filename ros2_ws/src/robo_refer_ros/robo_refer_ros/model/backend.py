"""Asks one question at a time of the model in its worker process, and keeps that process alive.

The node never computes an answer itself: its threads wait on futures, so that a cancellation
returns at once, and a model that hangs or dies takes nothing with it.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from multiprocessing import get_context
from typing import Any
from urllib.parse import urlsplit

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Referral
from robo_refer_ros.model.shared_frame import FrameWriter
from robo_refer_ros.model.worker import ModelSpec, serve

LOAD_TIMEOUT_S = 300.0
_PROBE_TIMEOUT_S = 2.0
_KILL_TIMEOUT_S = 5.0

# Workers are forked from a small server that has imported what they need, and no ROS: another one
# starts in a moment, and no thread or lock of the node is ever copied.
_context = get_context("forkserver")
_context.set_forkserver_preload(["robo_refer_ros.model.worker", "robo_refer.engines.http_engine"])


class Cancelled(Exception):  # noqa: N818 - not a failure
    """The question was withdrawn; the message says by whom."""


class Worker:
    """One worker process; requests are answered in their order.

    Args:
        spec: the model that it loads.
        on_end: called once, from another thread, when the process has ended.

    Attributes:
        ready: gives the model's name when it is loaded.
        started_s: when, in seconds of `time.monotonic`.
        answer: of the last request, if there was one.
    """

    def __init__(self, spec: ModelSpec, on_end: Callable[[Worker], None]) -> None:
        self.ready: Future[str] = Future()
        self.started_s = time.monotonic()
        self.answer: Future[Referral] | None = None
        self._lock = threading.Lock()
        self._is_dead = False
        self._on_end = on_end
        self._frames = FrameWriter()
        self._connection, theirs = _context.Pipe()
        self._process = _context.Process(target=serve, args=(theirs, spec), daemon=True)
        self._process.start()
        theirs.close()
        self._reader = threading.Thread(target=self._read, name="worker answers", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int | None:
        """The process id."""
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        """Whether the process has ended."""
        return self._is_dead

    @property
    def was_loaded(self) -> bool:
        """Whether the model has ever been ready."""
        return self.ready.done() and self.ready.exception() is None

    def ask(self, request: Request) -> Future[Referral]:
        """Send a request; the one before must have been answered.

        Raises:
            RoboReferError: BACKEND_UNREACHABLE when there is no memory to hand its images over.
        """
        future: Future[Referral] = Future()
        with self._lock:
            if self._is_dead:
                future.set_exception(self._death())
                return future
            # Locked: while a frame is written, the reader must not give its memory back.
            written = self._frames.write(request)
            self.answer = future
            with suppress(OSError):  # the process has ended: the reader says so in the future
                self._connection.send(written)
        return future

    def kill(self) -> None:
        """End the process now; what it was asked fails."""
        self._process.kill()
        if threading.current_thread() is not self._reader:
            self._reader.join(_KILL_TIMEOUT_S)  # it gives the shared memory back

    def _read(self) -> None:
        """Hand on what the process sends, until its end of the pipe closes."""
        try:
            _resolve(self.ready, self._connection.recv())
            while True:
                said = self._connection.recv()
                assert self.answer is not None
                _resolve(self.answer, said)
        except (EOFError, OSError):
            self._process.join(_KILL_TIMEOUT_S)
        with self._lock:
            self._is_dead = True
            self._connection.close()
            self._frames.close()
        for future in (self.ready, self.answer):
            if future is not None and not future.done():
                future.set_exception(self._death())
        self._on_end(self)

    def _death(self) -> RoboReferError:
        code = self._process.exitcode
        how = f"by signal {-code}" if code is not None and code < 0 else f"with status {code}"
        return RoboReferError(
            ErrorCode.BACKEND_UNREACHABLE,
            f"The model's process ended {how}.",
            "It is started again: ask again; if it keeps ending, check the memory."
            if self.was_loaded
            else "It could not load its model: check the memory, or use a smaller one.",
        )


def _resolve(future: Future[Any], value: Any) -> None:
    if isinstance(value, RoboReferError):
        future.set_exception(value)
    else:
        future.set_result(value)


class Backend:
    """The model, whatever happens to the process that holds it.

    Args:
        spec: which model.
        warn: called with a sentence when a worker is replaced.
    """

    def __init__(self, spec: ModelSpec, warn: Callable[[str], None]) -> None:
        self._spec, self._warn = spec, warn
        self._lock = threading.Lock()
        self._worker: Worker | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the worker."""
        worker = self._worker
        return worker.pid if worker is not None else None

    def start(self) -> str:
        """Start the worker and return the model's name, when it is loaded.

        Raises:
            RoboReferError: what prevents it: the model's own errors, a server out of reach, or
                BACKEND_TIMEOUT.
        """
        if self._spec.kind == "http":
            probe(self._spec.url)
        worker = self._worker = Worker(self._spec, self._ended)
        try:
            return worker.ready.result(LOAD_TIMEOUT_S)
        except TimeoutError as error:
            self.close()
            raise RoboReferError(
                ErrorCode.BACKEND_TIMEOUT,
                f"The model was not loaded within {LOAD_TIMEOUT_S:g} s.",
                "Check the disk and the memory, or use a smaller model.",
            ) from error
        except BaseException:
            self.close()
            raise

    def ask(self, request: Request, withdrawn: Future[str]) -> Referral:
        """Return the answer to a request.

        Args:
            request: the question.
            withdrawn: done when nobody wants the answer any more; its result says why.

        Raises:
            RoboReferError: the model's own errors; BACKEND_TIMEOUT, also while a model is loaded
                again; BACKEND_UNREACHABLE when its process ended.
            Cancelled: withdrawn.
        """
        worker = self._living_worker()
        self._await(worker, worker.ready, withdrawn)
        worker.ready.result()
        if worker.answer is not None:  # still busy with what was withdrawn
            self._await(worker, worker.answer, withdrawn)
        answer = worker.ask(request)
        self._await(worker, answer, withdrawn)
        return answer.result()

    def close(self) -> None:
        """End the worker, with whatever it is doing."""
        with self._lock:
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()

    def _await(self, worker: Worker, future: Future[Any], withdrawn: Future[str]) -> None:
        wait([future, withdrawn], self._spec.timeout_s, FIRST_COMPLETED)
        is_loading = not worker.ready.done()
        if withdrawn.done():
            # Ending a client closes its connection, which tells the server. A model of our own
            # would have to be loaded again: it writes its answer to the end, and nobody reads it.
            if self._spec.kind == "http" and not (future.done() or is_loading):
                self._replace(worker)
            raise Cancelled(withdrawn.result())
        if is_loading and time.monotonic() - worker.started_s < LOAD_TIMEOUT_S:
            raise RoboReferError(  # another one would begin from the start
                ErrorCode.BACKEND_TIMEOUT,
                f"The model was not loaded again within {self._spec.timeout_s:g} s.",
                "Ask again in a while, or use a smaller model.",
            )
        if not future.done():
            self._replace(worker)
            raise RoboReferError(
                ErrorCode.BACKEND_TIMEOUT,
                f"The model did not answer within {self._spec.timeout_s:g} s.",
                "Raise backend.timeout_s, or use a smaller model.",
            )

    def _living_worker(self) -> Worker:
        worker = self._worker
        if worker is not None and worker.is_dead:
            self._replace(worker)
            worker = self._worker
        if worker is None:
            raise RoboReferError(
                ErrorCode.NOT_ACTIVE, "The model is not loaded.", "Configure the node first."
            )
        return worker

    def _replace(self, worker: Worker) -> None:
        with self._lock:
            if self._worker is worker:  # neither closed nor replaced meanwhile
                self._worker = Worker(self._spec, self._ended)
        worker.kill()

    def _ended(self, worker: Worker) -> None:
        """Start another worker at once, so that the next question need not wait for it.

        One that could not even load its model is only tried again when something is asked.
        """
        if self._worker is worker and worker.was_loaded:
            self._warn(f"The model's process {worker.pid} has ended; another one is started.")
            self._replace(worker)


def probe(url: str) -> None:
    """Check that something listens at an http address.

    Raises:
        RoboReferError: BACKEND_UNREACHABLE with the address; BAD_REQUEST when it is none.
    """
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    if parts.scheme not in ("http", "https") or not parts.hostname or not port:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "backend.url is not an http address.",
            "Write it like http://127.0.0.1:8000.",
        )
    try:
        socket.create_connection((parts.hostname, port), _PROBE_TIMEOUT_S).close()
    except OSError as error:
        raise RoboReferError(
            ErrorCode.BACKEND_UNREACHABLE,
            f"Nothing answers at {parts.scheme}://{parts.hostname}:{port}: {error}.",
            "Start the server, or correct backend.url.",
        ) from error
