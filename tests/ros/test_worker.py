"""The model's process ends at the worst moment: while a frame is being written for it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_camera import CAMERA, HEIGHT, WIDTH
from fake_server import FakeServer
from robo_refer_ros.model import shared_frame
from robo_refer_ros.model.backend import Worker
from robo_refer_ros.model.worker import ModelSpec

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Frame

ANSWER_S = 20.0


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
    frame = Frame(
        np.zeros((HEIGHT, WIDTH, 3), np.uint8), np.ones((HEIGHT, WIDTH), np.float32), CAMERA, 0.0
    )
    answer = worker.ask(Request(frame, "the wall", False))
    with pytest.raises(RoboReferError, match="ended by signal 9") as caught:
        answer.result(ANSWER_S)
    assert caught.value.code is ErrorCode.BACKEND_UNREACHABLE
    worker.kill()
    assert ended == [worker]
    assert set(Path("/dev/shm").glob("psm_*")) <= before
