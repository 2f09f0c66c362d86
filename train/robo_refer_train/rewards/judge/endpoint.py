"""A judge behind an OpenAI-compatible server: it writes its grade as JSON."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from robo_refer.engines.chat_endpoint import ChatEndpoint, text_part
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_train.rewards.judge.rubric import RUBRIC, Case, Grade, read_grade

_MAX_TOKENS = 120
_DOWN = (ErrorCode.BACKEND_UNREACHABLE, ErrorCode.BACKEND_TIMEOUT)
_PROBE = Case("How many legs has a cat?", "4", "4")


class EndpointGrader:
    """Asks a server for every case, several at a time.

    A server that is down is left alone for `pause_s` after each attempt: meanwhile everything
    abstains at once, and a run does not wait through an outage.

    Args:
        endpoint: which model where.
        concurrent: requests under way at the same time.
        pause_s: seconds between attempts while the server is down.
    """

    def __init__(self, endpoint: ChatEndpoint, concurrent: int = 8, pause_s: float = 30.0) -> None:
        self.identity = f"{endpoint.caller.shown_url} {endpoint.model}"
        self._endpoint, self._pause_s = endpoint, pause_s
        self._pool = ThreadPoolExecutor(concurrent, thread_name_prefix="judge")
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
        grade = self._ask(_PROBE)
        if grade.value is None:
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"The judge {self.identity} cannot grade: {grade.why}.",
                "Choose an instruction-tuned model, or one that follows 'response_format'.",
            )

    def _grade(self, case: Case) -> Grade:
        if time.monotonic() < self._down_until_s:
            return Grade(None, "the judge's server is down")
        try:
            return self._ask(case)
        except RoboReferError as error:
            if error.code in _DOWN:
                self._down_until_s = time.monotonic() + self._pause_s
                return Grade(None, "the judge's server is down")
            return Grade(None, error.message)

    def _ask(self, case: Case) -> Grade:
        text = self._endpoint.complete(
            [text_part(case.question())],
            system=RUBRIC,
            max_tokens=_MAX_TOKENS,
            response_format={"type": "json_object"},
        )
        return read_grade(text)
