"""Tests on the real ROS 2 graph: rclpy, rcl and Fast DDS, a node in a process of its own.

They run with the Python of .venv-ros (`make test` does both); elsewhere they are not collected.
Every module has a domain of its own, and nothing leaves this machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

# Before any of ROS is imported.
os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

if find_spec("rclpy") is None:
    collect_ignore_glob = ["test_*.py"]
else:
    from fake_camera import FakeCamera
    from fake_server import FakeServer
    from node_process import NodeProcess

    @pytest.fixture(scope="module")
    def domain() -> Iterator[int]:
        """A domain id that nobody else on this machine uses."""
        from domain_coordinator import domain_id

        with domain_id() as number:
            os.environ["ROS_DOMAIN_ID"] = str(number)
            yield int(number)

    @pytest.fixture(scope="module")
    def ros(domain: int) -> Iterator[None]:
        """This process as a part of the graph."""
        import rclpy

        rclpy.init(domain_id=domain)
        yield
        rclpy.shutdown()

    @pytest.fixture(scope="module")
    def server() -> Iterator[FakeServer]:
        """A server that speaks the RoboRefer protocol and does what a test tells it."""
        with FakeServer() as running:
            yield running

    @pytest.fixture(scope="module")
    def process(ros: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
        """The node, unconfigured."""
        log: Path = tmp_path_factory.mktemp("node") / "log.txt"
        with NodeProcess(log) as running:
            yield running

    @pytest.fixture
    def node(process: NodeProcess, server: FakeServer) -> NodeProcess:
        """The node, active, with the fake server as its model."""
        server.reset()
        process.start(backend_url=server.url)
        return process

    @pytest.fixture(scope="module")
    def camera_of_module(process: NodeProcess) -> Iterator[FakeCamera]:
        """A camera for all tests of a module."""
        with FakeCamera(process.client.node) as running:
            yield running

    @pytest.fixture
    def camera(camera_of_module: FakeCamera) -> Iterator[FakeCamera]:
        """A camera that shows what a test tells it, and nothing before."""
        yield camera_of_module
        camera_of_module.stop()
