"""One question at a time: who comes while another is being answered waits, takes over, or goes.

Of those that wait for it to let go, only the newest stays.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_ros.asking import Asker, Outcome, Question, cancelled
from robo_refer_ros.settings import Settings

RELEASE_TIMEOUT_S = 15.0
"""How long a withdrawn question may take to let go, beside a transform that it waits for."""


class Desk:
    """Takes questions, by whichever door, to the asker; for several threads.

    Args:
        settings: the parameters, of which `busy_policy` counts here.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asker: Asker | None = None
        self._changed = threading.Condition()
        self._current: Question | None = None
        self._waiting: Question | None = None
        self._pausing = 0

    def open(self, asker: Asker) -> None:
        """Answer questions from now on."""
        self._asker = asker

    @property
    def asker(self) -> Asker:
        """Who answers.

        Raises:
            RoboReferError: NOT_ACTIVE while the desk is closed.
        """
        asker = self._asker
        if asker is None:
            raise RoboReferError(
                ErrorCode.NOT_ACTIVE,
                "The node is not active.",
                "Activate it: call ~/enable, or set its lifecycle state.",
            )
        return asker

    def close(self, why: str) -> None:
        """Withdraw the question that is being answered, and refuse all others.

        Raises:
            RoboReferError: BUSY as in `paused`; the desk is still open then.
        """
        with self.paused(why):
            self._asker = None

    def update(self, settings: Settings) -> None:
        """Take over live parameters."""
        self._settings = settings
        asker = self._asker
        if asker is not None:
            asker.update(settings)

    @contextmanager
    def answered(self, question: Question) -> Iterator[Outcome]:
        """Answer a question; the next one waits until the `with` block has used the outcome."""
        try:
            self._take(question)
        except RoboReferError as error:
            yield Outcome(question, error)
            return
        try:
            yield self._outcome(question)
        finally:
            self._leave()

    @contextmanager
    def paused(self, why: str) -> Iterator[None]:
        """Withdraw whoever is being answered or waits for it; answer none for a `with` block.

        Raises:
            RoboReferError: BUSY when that question, or another pause, does not end in time.
        """
        with self._changed:
            self._pausing += 1  # from here on no question waits beside it
            try:
                self._succeed(Question("pause", why), why)
            finally:
                self._pausing -= 1
        try:
            yield
        finally:
            self._leave()

    def _take(self, question: Question) -> None:
        with self._changed:
            if self._is_refused(question):
                raise _busy()
            self._succeed(question, "a newer instruction came")

    def _is_refused(self, question: Question) -> bool:
        """Tell whether it must not even wait."""
        others = [each for each in (self._current, self._waiting) if each is not None]
        if self._pausing or (question.gives_way and others):
            return True
        rejects = self._settings.busy_policy == "reject"
        return rejects and not all(each.gives_way for each in others)

    def _succeed(self, question: Question, why: str) -> None:
        """Take the place of whoever has it or waits for it, who is withdrawn; under the lock."""
        deadline = time.monotonic() + RELEASE_TIMEOUT_S + self._settings.tf.timeout_s
        question.withdrawn.add_done_callback(self._wake)
        if self._waiting is not None:
            self._waiting.withdraw(why)
        self._waiting = None if self._pausing else question  # pauses wait for one another
        try:
            while self._current is not None and not question.withdrawn.done():
                self._current.withdraw(why)
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    raise _busy()
                self._changed.wait(left_s)
            if question.withdrawn.done():
                raise cancelled(question.withdrawn.result())
            self._current = question
        finally:
            if self._waiting is question:
                self._waiting = None

    def _wake(self, _: Future[str]) -> None:
        """Let everybody who waits look again."""
        with self._changed:
            self._changed.notify_all()

    def _leave(self) -> None:
        with self._changed:
            self._current = None
            self._changed.notify_all()

    def _outcome(self, question: Question) -> Outcome:
        try:
            asker = self.asker
        except RoboReferError as error:
            return Outcome(question, error)
        return asker.answer(question)


def _busy() -> RoboReferError:
    return RoboReferError(
        ErrorCode.BUSY,
        "Another instruction is being answered.",
        "Wait for it, cancel it, or set busy_policy to preempt.",
    )
