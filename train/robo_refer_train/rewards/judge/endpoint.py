"""A judge behind an OpenAI-compatible server: it writes its grade as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

from robo_refer.engines.chat_endpoint import ChatEndpoint, text_part
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards.judge.rubric import PROBE, RUBRIC, Case, Grade, read_grade

_MAX_TOKENS = 120
_DOWN = (ErrorCode.BACKEND_UNREACHABLE, ErrorCode.BACKEND_TIMEOUT)
_LONGEST_PAUSE_S = 600.0
_SILENT = "the judge's server is down"


class EndpointGrader:
    """Asks a server for every case, several at a time.

    A server that is down is left alone for `pause_s`, then for twice as long and so on: meanwhile
    everything abstains at once, and a run does not wait through an outage.

    Args:
        endpoint: which model where.
        concurrent: requests under way at the same time.
        pause_s: seconds until a server that is down is tried again, the first time.
    """

    def __init__(self, endpoint: ChatEndpoint, concurrent: int = 8, pause_s: float = 30.0) -> None:
        self.identity = f"{endpoint.caller.shown_url} {endpoint.model}"
        self._endpoint = endpoint
        self._first_pause_s = self._pause_s = pause_s
        self._pool = ThreadPoolExecutor(concurrent, thread_name_prefix="judge")
        self._lock = Lock()
        self._down_until_s = 0.0

    def grade(self, cases: Sequence[Case]) -> list[Grade]:
        """Return one grade per case, in their order."""
        return list(self._pool.map(self._grade, cases))

    def probe(self) -> None:
        """Ask once.

        Raises:
            RoboReferError: BACKEND_UNREACHABLE, BACKEND_TIMEOUT or BAD_REQUEST of the server;
                UNPARSABLE_ANSWER when its model does not grade in JSON as asked.
        """
        grade = self._ask(PROBE)
        if grade.value is None:
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"The judge {self.identity} cannot grade: {grade.why}.",
                "Choose an instruction-tuned model, or one that follows 'response_format'.",
            )

    def _grade(self, case: Case) -> Grade:
        if time.monotonic() < self._down_until_s:
            return Grade(None, _SILENT)
        try:
            grade = self._ask(case)
        except RoboReferError as error:
            if error.code not in _DOWN:
                return Grade(None, error.message)
            self._leave_alone()
            return Grade(None, _SILENT)
        self._pause_s = self._first_pause_s
        return grade

    def _leave_alone(self) -> None:
        with self._lock:
            now_s = time.monotonic()
            if now_s >= self._down_until_s:  # the first of those under way that noticed
                self._down_until_s = now_s + self._pause_s
                self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)

    def _ask(self, case: Case) -> Grade:
        text = self._endpoint.complete(
            [text_part(case.question())],
            system=RUBRIC,
            max_tokens=_MAX_TOKENS,
            response_format={"type": "json_object"},
        )
        return read_grade(text)
