"""Simulated time, and time that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_camera import FRAME, FakeCamera, time_message, wait_for
from fake_server import FakeServer
from node_process import NodeProcess
from rosgraph_msgs.msg import Clock

from robo_refer.errors import ErrorCode

S = 10**9


@pytest.fixture(scope="module")
def process(ros: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    log: Path = tmp_path_factory.mktemp("node") / "log.txt"
    with NodeProcess(log, "-p", "use_sim_time:=true") as running:
        yield running


def test_time_that_jumps_back(process: NodeProcess, server: FakeServer, camera: FakeCamera) -> None:
    process.start(backend_url=server.url, image__wait_s=0.3, target_frame="base_link")
    ros = process.client.node
    clock = ros.create_publisher(Clock, "/clock", 1)

    def now(seconds: float) -> None:
        clock.publish(Clock(clock=time_message(round(seconds * S))))

    def code() -> ErrorCode:
        return ErrorCode(process.client.ask("the wall").raw_result(60).error_code)

    def answered() -> bool:
        now(100)  # again: what was published before the node listened is lost
        return code() is ErrorCode.OK

    def forgotten() -> bool:
        nonlocal seconds
        seconds -= 0.1  # back again: a frame that was under way arrives after the jump
        now(seconds)
        return code() is ErrorCode.NO_IMAGE

    wait_for(clock.get_subscription_count)
    for moment in (99, 101):
        camera.transform("base_link", FRAME, (0.0, 0.0, 0.0), moment * S)
    camera.publish(stamp_ns=100 * S)
    assert wait_for(answered)
    camera.stop()
    # The simulation starts again: what was seen has not happened yet.
    seconds = 50.0
    assert wait_for(forgotten)
    assert "Time has jumped" in process.said()
    camera.publish(stamp_ns=100 * S)
    wait_for(lambda: code() is ErrorCode.STALE_IMAGE)
    result = process.client.ask("the wall").raw_result(60)
    assert result.error_code == ErrorCode.STALE_IMAGE
    assert f"{100 - seconds:.2f} s in the future" in result.error_msg
    # The transforms of the future are forgotten, too.
    camera.publish(stamp_ns=round(seconds * S))
    assert wait_for(lambda: code() is ErrorCode.TF_ERROR)
    assert "does not exist" in process.client.ask("the wall").raw_result(60).error_msg
    assert process.is_running
