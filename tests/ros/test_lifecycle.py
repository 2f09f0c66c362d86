"""Transitions, in any order and very often; parameters that may be set, and those that may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_camera import FakeCamera
from fake_server import FakeServer
from lifecycle_msgs.msg import State, Transition
from node_process import NodeProcess
from std_srvs.srv import SetBool, Trigger

from robo_refer.errors import ErrorCode

# `ROBO_REFER_CYCLES=1000` is the test of endurance; a few show that nothing leaks, too.
CYCLES = int(os.environ.get("ROBO_REFER_CYCLES", "15"))
POOL = 8
CYCLE = (
    (Transition.TRANSITION_CONFIGURE, State.PRIMARY_STATE_INACTIVE),
    (Transition.TRANSITION_ACTIVATE, State.PRIMARY_STATE_ACTIVE),
    (Transition.TRANSITION_DEACTIVATE, State.PRIMARY_STATE_INACTIVE),
    (Transition.TRANSITION_CLEANUP, State.PRIMARY_STATE_UNCONFIGURED),
)


@pytest.fixture(autouse=True)
def _survives(process: NodeProcess) -> Iterator[None]:
    yield
    assert process.is_running, process.said()


def used(pid: int) -> dict[str, int]:
    """Threads, open files and children of a process."""
    tasks = list(Path(f"/proc/{pid}/task").iterdir())
    children = [(task / "children").read_text().split() for task in tasks]
    return {
        "threads": len(tasks),
        "files": len(list(Path(f"/proc/{pid}/fd").iterdir())),
        "children": sum(map(len, children)),
    }


def call(node: NodeProcess, kind: Any, name: str, request: Any) -> Any:
    ros = node.client.node
    client = ros.create_client(kind, name)
    assert client.wait_for_service(30.0)
    response = node.call(client, request)
    ros.destroy_client(client)
    return response


def test_cycles_leave_nothing_behind(
    process: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    process.start(backend_url=server.url)
    process.stop()
    before: dict[str, int] = {}
    for number in range(CYCLES):
        for transition, state in CYCLE:
            assert process.change(transition), process.said()
            assert process.state() == state
        if number == 2:  # what is made once has been made
            before = used(process.pid)
    after = used(process.pid)
    assert after["threads"] <= before["threads"] + POOL  # its threads are made when they are needed
    assert after["files"] <= before["files"] + 5
    assert after["children"] <= before["children"]
    process.start(backend_url=server.url)
    camera.publish()
    assert process.client.refer("the wall").position_m is not None


@pytest.mark.parametrize(
    "transition", [Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CLEANUP, 77]
)
def test_impossible_transitions_are_refused(process: NodeProcess, transition: int) -> None:
    process.stop()
    assert not process.change(transition)
    assert process.state() == State.PRIMARY_STATE_UNCONFIGURED


def test_an_inactive_node_says_so(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    assert node.change(Transition.TRANSITION_DEACTIVATE)
    result = node.client.ask("the wall").raw_result(60)
    assert result.error_code == ErrorCode.NOT_ACTIVE
    assert node.change(Transition.TRANSITION_ACTIVATE)
    camera.publish()
    assert node.client.refer("the wall").position_m is not None


def test_enable_is_activation_in_one_word(node: NodeProcess) -> None:
    off = call(node, SetBool, "/refer/enable", SetBool.Request(data=False))
    assert (off.success, off.message) == (True, "inactive")
    on = call(node, SetBool, "/refer/enable", SetBool.Request(data=True))
    assert (on.success, on.message) == (True, "active")
    again = call(node, SetBool, "/refer/enable", SetBool.Request(data=True))
    assert (again.success, again.message) == (True, "active")


def test_the_model_is_loaded_again(node: NodeProcess, camera: FakeCamera) -> None:
    assert call(node, Trigger, "/refer/reload", Trigger.Request()).success
    camera.publish()
    assert node.client.refer("the wall").position_m is not None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("backend.url", "http://127.0.0.1:1", "can only be set while the node is unconfigured"),
        ("depth.max_m", 9.0, "can only be set while the node is unconfigured"),
        ("busy_policy", "wait", "none of reject, preempt"),
        ("image.max_age_s", -1.0, "below 0"),
        ("image.max_age_s", float("nan"), "not a finite number"),
        ("image.wait_s", float("inf"), "not a finite number"),
        ("image.max_age_s", 3, "type"),
        ("workspace.min", [0.0, 0.0], "three numbers"),
        ("workspace.min", [1.0, 1.0, float("inf")], "below workspace.max"),
    ],
)
def test_bad_values_are_refused_while_it_runs(
    node: NodeProcess, name: str, value: Any, words: str
) -> None:
    (reason,) = node.set({name: value})
    assert words in reason


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"backend.type": "http", "backend.url": ""}, "backend.url is empty"),
        ({"backend.type": "http", "backend.url": "ftp://x"}, "not an http address"),
        ({"backend.reader": "nobody"}, "backend.reader"),
        ({"depth.window_px": 4}, "window_px"),
        ({"depth.min_m": 3.0, "depth.max_m": 2.0}, "depth range"),
        ({"sync.queue": 0}, "sync.queue"),
    ],
)
def test_bad_values_are_refused_when_it_is_configured(
    process: NodeProcess, values: dict[str, Any], words: str
) -> None:
    from node_process import DEFAULTS

    process.stop()
    assert not process.set({**DEFAULTS, **values})
    said = len(process.said())
    assert not process.change(Transition.TRANSITION_CONFIGURE)
    assert words in process.said()[said:]
    assert process.state() == State.PRIMARY_STATE_UNCONFIGURED
