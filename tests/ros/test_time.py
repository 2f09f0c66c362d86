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

    def now(seconds: int) -> None:
        clock.publish(Clock(clock=time_message(seconds * S)))

    def code() -> ErrorCode:
        return ErrorCode(process.client.ask("the wall").raw_result(60).error_code)

    wait_for(clock.get_subscription_count)
    now(100)
    for seconds in (99, 101):
        camera.transform("base_link", FRAME, (0.0, 0.0, 0.0), seconds * S)
    camera.publish(stamp_ns=100 * S)
    assert wait_for(lambda: code() is ErrorCode.OK)
    # The simulation starts again: what was seen has not happened yet.
    now(50)
    wait_for(lambda: "Time has jumped" in process.said())
    assert code() is ErrorCode.NO_IMAGE
    camera.publish(stamp_ns=100 * S)
    result = process.client.ask("the wall").raw_result(60)
    assert result.error_code == ErrorCode.STALE_IMAGE
    assert "50.00 s in the future" in result.error_msg
    # The transforms of the future are forgotten, too.
    camera.publish(stamp_ns=50 * S)
    process.client.node.get_logger().info("the simulation goes on")
    assert wait_for(lambda: code() in (ErrorCode.TF_ERROR, ErrorCode.STALE_IMAGE))
    assert process.is_running
