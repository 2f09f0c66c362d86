"""One question at a time: who comes while another is being answered waits, takes over, or goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.settings import Settings

RELEASE_TIMEOUT_S = 5.0
"""How long a withdrawn question may take to let go."""


class Desk:
    """Takes questions, by whichever door, to the asker; for several threads.

    Args:
        settings: the parameters, of which `busy_policy` counts here.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asker: Asker | None = None
        self._busy = threading.Lock()
        self._current: Question | None = None

    def open(self, asker: Asker) -> None:
        """Answer questions from now on."""
        self._asker = asker

    @property
    def asker(self) -> Asker:
        """Who answers.

        Raises:
            RoboReferError: NOT_ACTIVE while the desk is closed.
        """
        if self._asker is None:
            raise RoboReferError(
                ErrorCode.NOT_ACTIVE,
                "The node is not active.",
                "Activate it: call ~/enable, or set its lifecycle state.",
            )
        return self._asker

    def close(self, why: str) -> None:
        """Withdraw the question that is being answered, and refuse all others."""
        asker, self._asker = self._asker, None
        if asker is not None:
            with self.paused(why):
                pass  # whoever is still publishing an outcome has finished

    def update(self, settings: Settings) -> None:
        """Take over live parameters."""
        self._settings = settings
        if self._asker is not None:
            self._asker.update(settings)

    @contextmanager
    def answered(self, question: Question) -> Iterator[Outcome]:
        """Answer a question; the next one waits until the `with` block has used the outcome."""
        try:
            self._take()
        except RoboReferError as error:
            yield Outcome(question, error)
            return
        try:
            self._current = question
            yield self._outcome(question)
        finally:
            self._current = None
            self._busy.release()

    @contextmanager
    def paused(self, why: str) -> Iterator[None]:
        """Withdraw the question that is being answered; answer none for a `with` block."""
        self._withdraw(why)
        is_held = self._busy.acquire(timeout=RELEASE_TIMEOUT_S)
        try:
            yield
        finally:
            if is_held:
                self._busy.release()

    def _take(self) -> None:
        if self._busy.acquire(blocking=False):
            return
        if self._settings.busy_policy == "preempt":
            self._withdraw("a newer instruction came")
            if self._busy.acquire(timeout=RELEASE_TIMEOUT_S):
                return
        raise RoboReferError(
            ErrorCode.BUSY,
            "Another instruction is being answered.",
            "Wait for it, cancel it, or set busy_policy to preempt.",
        )

    def _withdraw(self, why: str) -> None:
        question = self._current
        if question is not None:
            question.withdraw(why)

    def _outcome(self, question: Question) -> Outcome:
        try:
            asker = self.asker
        except RoboReferError as error:
            return Outcome(question, error)
        return asker.answer(question)
