"""The model's process: it ends while a frame is written for it, has no memory, or a defect."""

from __future__ import annotations

import errno
import os
import signal
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from fake_camera import CAMERA, HEIGHT, WIDTH
from fake_server import FakeServer
from robo_refer_ros.model import shared_frame
from robo_refer_ros.model.backend import Worker
from robo_refer_ros.model.worker import ModelSpec, answer

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import Referrer
from robo_refer.types import Frame

ANSWER_S = 60.0


def request() -> Request:
    rgb = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame = Frame(rgb, np.ones((HEIGHT, WIDTH), np.float32), CAMERA, 0.0)
    return Request(frame, "the wall", False)


def test_its_end_while_a_frame_is_written(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[Worker] = []
    before = set(Path("/dev/shm").glob("psm_*"))
    worker = Worker(ModelSpec(kind="http", url=server.url), ended.append)
    worker.ready.result(ANSWER_S)
    arrays = shared_frame._arrays

    def killed_meanwhile(*given: Any) -> Any:
        views = arrays(*given)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        time.sleep(0.5)  # long enough for the worker's reader to see it
        return views

    monkeypatch.setattr(shared_frame, "_arrays", killed_meanwhile)
    answered = worker.ask(request())
    with pytest.raises(RoboReferError, match="ended by signal 9") as caught:
        answered.result(ANSWER_S)
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    worker.kill()
    assert ended == [worker]
    assert set(Path("/dev/shm").glob("psm_*")) <= before


def test_without_shared_memory_a_question_fails_and_the_next_is_answered(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(Path("/dev/shm").glob("psm_*"))
    worker = Worker(ModelSpec(kind="http", url=server.url), lambda worker: None)
    worker.ready.result(ANSWER_S)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(RoboReferError, match="No space left") as caught:
            worker.ask(request())
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    assert worker.answer is None, "the next question must not wait for it"
    assert worker.ask(request()).result(ANSWER_S).status == "ok"
    worker.kill()
    assert set(Path("/dev/shm").glob("psm_*")) <= before


def test_a_defect_of_the_model_is_an_answer() -> None:
    class Defective:
        def answer(self, _: list[Request]) -> None:
            raise ZeroDivisionError("division\nby zero")

    said = answer(cast(Referrer, Defective()), request())
    assert isinstance(said, RoboReferError)
    assert said.code is ErrorCode.UNKNOWN
    assert said.message == "The model failed: ZeroDivisionError: division by zero."
