"""A model that never comes up is an error with a code, and its process does not stay."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import Any, cast

import pytest
from robo_refer_ros.model import backend
from robo_refer_ros.model.worker import ModelSpec

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError


class EndlessWorker:
    """Loads for ever."""

    pid = 1

    def __init__(self, *_: Any) -> None:
        self.ready: Future[str] = Future()
        self.started_s = time.monotonic()
        self.answer, self.is_dead, self.killed = None, False, False

    def kill(self) -> None:
        self.killed = True


def test_a_model_that_never_loads(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = EndlessWorker()
    monkeypatch.setattr(backend, "Worker", lambda *_: worker)
    monkeypatch.setattr(backend, "LOAD_TIMEOUT_S", 0.01)
    model = backend.Backend(ModelSpec(), warn=print)
    with pytest.raises(RoboReferError, match="not loaded within") as caught:
        model.start()
    assert caught.value.code is ErrorCode.BACKEND_TIMEOUT
    assert worker.killed
    assert model.pid is None


def test_a_model_that_is_loaded_again_is_not_started_over_and_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers: list[EndlessWorker] = []

    def start(*_: Any) -> EndlessWorker:
        workers.append(EndlessWorker())
        return workers[-1]

    monkeypatch.setattr(backend, "Worker", start)
    model = backend.Backend(ModelSpec(timeout_s=0.01), warn=print)
    model._worker = cast(backend.Worker, start())
    for _ in range(2):
        with pytest.raises(RoboReferError, match="not loaded again within") as caught:
            model.ask(cast(Request, None), Future())
        assert caught.value.code is ErrorCode.BACKEND_TIMEOUT
    assert [worker.killed for worker in workers] == [False]
    monkeypatch.setattr(backend, "LOAD_TIMEOUT_S", 0.0)
    with pytest.raises(RoboReferError):
        model.ask(cast(Request, None), Future())
    assert [worker.killed for worker in workers] == [True, False], "it never comes"
