"""The camera's topics are received in a thread of their own, under the names of the node."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest
import rclpy
from fake_camera import FakeCamera, wait_for
from rclpy.executors import MultiThreadedExecutor
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from robo_refer_ros.camera.stream import CameraStream, Capture
from robo_refer_ros.running import spin
from robo_refer_ros.settings import Settings, settings_from
from robo_refer_ros.side_node import SideNode

POOL = 8
COME_S = 60.0
# As on a command line: they hold for all nodes of the process.
GLOBAL = ["--ros-args", "-r", "__node:=eye", "-r", "__ns:=/arm"] + [
    part for name in ("image", "depth", "camera_info") for part in ("-r", f"{name}:=/cam/{name}")
]


@pytest.fixture(scope="module")
def ros(domain: int) -> Iterator[None]:
    """This process as a part of the graph, with global remappings."""
    rclpy.init(args=GLOBAL, domain_id=domain)
    yield
    rclpy.shutdown()


@pytest.fixture(scope="module")
def outside(ros: None) -> Iterator[SideNode]:
    side = SideNode("outside", namespace="/", use_global_arguments=False)
    yield side
    side.close()


@pytest.fixture
def node(ros: None) -> Iterator[Node]:
    """A node whose callbacks run in a pool of threads."""
    node = Node("refer")
    executor = MultiThreadedExecutor(POOL)
    executor.add_node(node)
    ended = threading.Event()
    spinning = threading.Thread(target=spin, args=(executor, node, ended), daemon=True)
    spinning.start()
    yield node
    ended.set()
    executor.shutdown(timeout_sec=COME_S)
    spinning.join(COME_S)
    node.destroy_node()


def patient(**values: str) -> Settings:
    given = {"image.wait_s": COME_S, "image.max_age_s": COME_S}
    settings: Settings = settings_from(given | {f"image.{name}": v for name, v in values.items()})
    return settings


def nodes(outside: SideNode) -> list[tuple[str, str]]:
    """Name and namespace of all nodes that the graph knows."""
    return list(outside.node.get_node_names_and_namespaces())


def test_callbacks_that_wait_delay_no_frames(node: Node, outside: SideNode) -> None:
    stream = CameraStream(node, patient())
    all_wait = threading.Barrier(POOL + 1)

    def wait() -> Capture:
        all_wait.wait(COME_S)
        return stream.wait_fresh(COME_S, Future())

    assert node.executor is not None
    waiting = [node.executor.create_task(wait) for _ in range(POOL)]
    all_wait.wait(COME_S)
    with FakeCamera(outside.node, prefix="/cam/") as camera:
        stamp_ns = camera.publish()
        wait_for(lambda: all(task.done() for task in waiting), COME_S / 2)
    assert {task.result().stamp_ns for task in waiting} == {stamp_ns}
    stream.close()


def test_names_are_those_of_the_node(node: Node, outside: SideNode) -> None:
    stream = CameraStream(node, patient(transport="compressed"))
    names = {role: topic.name for role, topic in stream.topics.items()}
    assert names == {
        "image": "/arm/image/compressed", "depth": "/cam/depth", "camera_info": "/cam/camera_info",
    }  # fmt: skip
    for name in names.values():
        wait_for(lambda name=name: outside.node.count_subscribers(name) == 1)
    wait_for(lambda: ("eye_camera", "/arm") in nodes(outside))
    assert nodes(outside).count(("eye", "/arm")) == 1
    services = outside.node.get_service_names_and_types_by_node("eye_camera", "/arm")
    assert not [name for name, _ in services if "parameter" in name]
    stream.close()
    wait_for(lambda: ("eye_camera", "/arm") not in nodes(outside))
    for name in names.values():
        wait_for(lambda name=name: outside.node.count_subscribers(name) == 0)


def test_a_qos_that_does_not_fit_is_noticed(node: Node, outside: SideNode) -> None:
    stream = CameraStream(node, patient(reliability="reliable"))
    with FakeCamera(outside.node, ReliabilityPolicy.BEST_EFFORT, prefix="/cam/"):
        wait_for(lambda: stream.topics["image"].incompatible)
    stream.close()
