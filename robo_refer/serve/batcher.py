"""Concurrent requests -> batches for the model, each answer back to the one who asked."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Referral

Answerer = Callable[[Sequence[Request]], list[Referral]]
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Waiting:
    request: Request
    answer: asyncio.Future[Referral]


class Batcher:
    """A bounded queue in front of one model on one thread; lives in one event loop.

    Args:
        answer: asks the model; called on a thread of its own, never twice at once.
        max_batch: requests given to it at once.
        max_queue: requests that may wait besides those being answered.
        wait_s: how long the first of a batch waits for others.
        on_batch: told the size of every batch.
    """

    def __init__(
        self,
        answer: Answerer,
        *,
        max_batch: int,
        max_queue: int,
        wait_s: float,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._answer, self._on_batch = answer, on_batch
        self._max_batch, self._max_queue, self._wait_s = max_batch, max_queue, wait_s
        self._waiting: deque[_Waiting] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._closing = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    def start(self) -> None:
        """Begin to answer."""
        self._worker = asyncio.create_task(self._run())

    async def submit(self, request: Request, timeout_s: float) -> Referral:
        """Return the answer to a request.

        Raises:
            RoboReferError: BUSY when the queue is full or closing, BACKEND_TIMEOUT when it takes
                too long (it is then not asked any more, if it was not yet), and whatever the
                model says of this request.
        """
        if self._closing or len(self._waiting) >= self._max_queue:
            why = "is shutting down" if self._closing else f"has {self._max_queue} waiting"
            raise RoboReferError(ErrorCode.BUSY, f"The server {why}.", "Ask again in a moment.")
        waiting = _Waiting(request, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._arrived.set()
        try:
            return await asyncio.wait_for(waiting.answer, timeout_s)
        except TimeoutError:
            raise RoboReferError(
                ErrorCode.BACKEND_TIMEOUT,
                f"There was no answer within {timeout_s:g} s.",
                "Ask again when fewer others do, or allow more time.",
            ) from None

    async def close(self) -> None:
        """Take nothing new, answer all that was taken, and end the thread."""
        self._closing = True
        self._arrived.set()
        if self._worker is not None:
            await self._worker
        self._thread.shutdown()

    async def _run(self) -> None:
        while True:
            await self._arrived.wait()
            if not self._waiting:
                if self._closing:
                    return
                self._arrived.clear()
                continue
            if len(self._waiting) < self._max_batch and self._wait_s and not self._closing:
                await asyncio.sleep(self._wait_s)
            batch = self._take()
            if batch:
                self._on_batch(len(batch))
                await self._answer_all(batch)

    def _take(self) -> list[_Waiting]:
        """Return the oldest requests, without those whose caller has gone."""
        batch: list[_Waiting] = []
        while self._waiting and len(batch) < self._max_batch:
            waiting = self._waiting.popleft()
            if not waiting.answer.done():
                batch.append(waiting)
        return batch

    async def _answer_all(self, batch: Sequence[_Waiting]) -> None:
        """Answer a batch; where that fails, one by one, so that only the bad one is lost."""
        loop = asyncio.get_running_loop()
        requests = [waiting.request for waiting in batch]
        try:
            answers = await loop.run_in_executor(self._thread, self._answer, requests)
            for waiting, answer in zip(batch, answers, strict=True):
                if not waiting.answer.done():
                    waiting.answer.set_result(answer)
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    if not waiting.answer.done():
                        await self._answer_all([waiting])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(_expected(error))


def _expected(error: Exception) -> RoboReferError:
    if isinstance(error, RoboReferError):
        return error
    _log.error("The model failed on a request.", exc_info=error)
    return failed()


def failed() -> RoboReferError:
    """Return the error of what nobody expected; the log, not the caller, is told what it was."""
    return RoboReferError(
        ErrorCode.UNKNOWN, "The server failed on this request.", "The server's log says more."
    )
