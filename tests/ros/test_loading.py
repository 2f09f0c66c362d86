"""A model that never comes up is an error with a code, and its process does not stay."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from robo_refer_ros.model import backend
from robo_refer_ros.model.worker import ModelSpec

from robo_refer.errors import ErrorCode, RoboReferError


class EndlessWorker:
    """Loads for ever."""

    pid = 1

    def __init__(self, *_: Any) -> None:
        self.ready: Future[str] = Future()
        self.killed = False

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
