"""The model and its process: slow, gone, wrong, killed, withdrawn; the node survives all of it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_camera import FakeCamera, wait_for
from fake_server import FakeServer
from lifecycle_msgs.msg import State, Transition
from node_process import NodeProcess
from robo_refer_msgs.action import Refer
from robo_refer_ros.client import Pending

from robo_refer.errors import ErrorCode, RoboReferError

ASK_S = 60.0


@pytest.fixture(autouse=True)
def _survives(process: NodeProcess, server: FakeServer) -> Iterator[None]:
    yield
    assert process.is_running, process.said()
    server.reset()


def ask(node: NodeProcess, instruction: str = "the wall") -> Refer.Result:
    return node.client.ask(instruction).raw_result(ASK_S)


def pending_question(node: NodeProcess, camera: FakeCamera, server: FakeServer) -> Pending:
    """A question that the model is busy with."""
    server.hang()
    camera.publish()
    pending = node.client.ask("the wall")
    assert server.asked.wait(ASK_S)
    return pending


def worker_pid(node: NodeProcess) -> int:
    """Process id of the model's process, as the health topic says it."""
    from diagnostic_msgs.msg import DiagnosticArray
    from listening import Listening

    with Listening(node.client.node, DiagnosticArray, "/diagnostics") as health:
        said = health.wait(lambda message: "process " in message.status[0].hardware_id)
    found = re.search(r"process (\d+)", said.status[0].hardware_id)
    assert found is not None
    return int(found[1])


def test_a_server_that_is_not_there_cannot_be_configured(process: NodeProcess) -> None:
    with FakeServer() as gone:
        url = gone.url
    process.stop()
    assert not process.set({"backend.type": "http", "backend.url": url})
    assert not process.change(Transition.TRANSITION_CONFIGURE)
    assert process.state() == State.PRIMARY_STATE_UNCONFIGURED
    assert re.search(rf"BACKEND_UNREACHABLE: Nothing answers at {url}", process.said())


def test_a_server_that_goes_and_comes_back(process: NodeProcess, camera: FakeCamera) -> None:
    with FakeServer() as first:
        process.start(backend_url=first.url)
        camera.publish()
        assert ask(process).error_code == ErrorCode.OK
    result = ask(process)
    assert result.error_code == ErrorCode.BACKEND_UNREACHABLE
    assert process.state() == State.PRIMARY_STATE_ACTIVE
    with FakeServer(first.port):
        assert ask(process).error_code == ErrorCode.OK


def test_a_server_that_hangs(process: NodeProcess, camera: FakeCamera, server: FakeServer) -> None:
    process.start(backend_url=server.url, backend__timeout_s=2.0)
    server.hang()
    camera.publish()
    assert ask(process).error_code == ErrorCode.BACKEND_TIMEOUT
    server.release()
    assert _answers(process)


def _answers(node: NodeProcess) -> bool:
    """Tell whether questions are answered; with so short a time-out, not always the first."""
    return bool(wait_for(lambda: ask(node).error_code == ErrorCode.OK))


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        ("I see a wall.", None),
        ("[(0.5, 0.5), (", None),
        ("[(1e999, nan)]", None),
        ("", b"<html>502</html>"),
        ("", b"{}"),
        ("", b"[1, 2, 3]"),
        ("", b'{"answer": 7}'),
    ],
)
def test_a_server_that_talks_rubbish(
    node: NodeProcess, camera: FakeCamera, server: FakeServer, answer: str, body: bytes | None
) -> None:
    server.answer, server.body = answer, body
    camera.publish()
    result = ask(node)
    assert result.error_code == ErrorCode.UNPARSABLE_ANSWER, result.error_msg
    assert list(result.result.targets) == []


def test_a_cancellation_is_answered_at_once(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    pending = pending_question(node, camera, server)
    pending.cancel()
    with pytest.raises(RoboReferError) as error:
        pending.result(ASK_S)  # far below the 60 s for which the server hangs
    assert error.value.code is ErrorCode.CANCELLED
    server.release()
    camera.publish()
    assert ask(node).error_code == ErrorCode.OK


def test_a_question_that_waits_for_an_image_is_cancelled(
    process: NodeProcess, server: FakeServer
) -> None:
    process.start(backend_url=server.url, image__wait_s=ASK_S)
    stages: list[str] = []
    pending = process.client.ask("the wall", on_stage=stages.append)
    wait_for(lambda: stages)
    pending.cancel()
    with pytest.raises(RoboReferError) as error:
        pending.result(ASK_S / 2)
    assert error.value.code is ErrorCode.CANCELLED


def test_a_second_question_is_refused_while_one_is_answered(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    pending = pending_question(node, camera, server)
    assert ask(node).error_code == ErrorCode.BUSY
    server.release()
    assert pending.raw_result(ASK_S).error_code == ErrorCode.OK


def test_or_takes_its_place(node: NodeProcess, camera: FakeCamera, server: FakeServer) -> None:
    assert not node.set({"busy_policy": "preempt"})
    pending = pending_question(node, camera, server)
    server.hangs = False
    result = ask(node)
    assert result.error_code == ErrorCode.OK, result.error_msg
    first = pending.raw_result(ASK_S)
    assert first.error_code == ErrorCode.CANCELLED
    assert "newer instruction" in first.error_msg


def test_a_deactivation_withdraws_the_question(
    node: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    pending = pending_question(node, camera, server)
    assert node.change(Transition.TRANSITION_DEACTIVATE)
    assert pending.raw_result(ASK_S).error_code == ErrorCode.CANCELLED
    assert ask(node).error_code == ErrorCode.NOT_ACTIVE


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_the_models_process_is_killed_while_it_answers(
    node: NodeProcess, camera: FakeCamera, server: FakeServer, number: signal.Signals
) -> None:
    pid = worker_pid(node)
    pending = pending_question(node, camera, server)
    os.kill(pid, number)
    result = pending.raw_result(ASK_S)
    assert result.error_code == ErrorCode.BACKEND_UNREACHABLE
    assert f"ended by signal {int(number)}" in result.error_msg
    server.release()
    camera.publish()
    assert ask(node).error_code == ErrorCode.OK
    assert worker_pid(node) != pid


def test_the_models_process_is_killed_while_nobody_asks(
    node: NodeProcess, camera: FakeCamera
) -> None:
    pid = worker_pid(node)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: f"process {pid} has ended" in node.said())
    camera.publish()
    assert ask(node).error_code == ErrorCode.OK


def test_the_models_process_stops_and_says_nothing(
    process: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    process.start(backend_url=server.url, backend__timeout_s=2.0)
    os.kill(worker_pid(process), signal.SIGSTOP)
    camera.publish()
    assert ask(process).error_code == ErrorCode.BACKEND_TIMEOUT
    assert _answers(process)


def test_nothing_is_left_in_shared_memory(
    process: NodeProcess, camera: FakeCamera, server: FakeServer
) -> None:
    before = set(Path("/dev/shm").glob("psm_*"))
    process.start(backend_url=server.url)
    camera.publish()
    assert ask(process).error_code == ErrorCode.OK
    os.kill(worker_pid(process), signal.SIGKILL)
    wait_for(lambda: ask(process).error_code == ErrorCode.OK)
    process.stop()
    wait_for(lambda: set(Path("/dev/shm").glob("psm_*")) <= before)


def test_a_checkpoint_that_is_none(process: NodeProcess) -> None:
    process.stop()
    assert not process.set({"backend.type": "local", "backend.model": "/nowhere"})
    assert not process.change(Transition.TRANSITION_CONFIGURE)
    assert "BAD_CHECKPOINT" in process.said()


def test_our_own_model_answers_about_a_real_picture(process: NodeProcess) -> None:
    from fake_camera import Shot
    from robo_refer_ros.camera.convert import camera_message, depth_message, image_message
    from robo_refer_ros.commands.bringup import bringup_share
    from robo_refer_ros.commands.scene_publisher import load_scene

    from robo_refer import Referrer

    scene = load_scene(bringup_share() / "scene")
    process.start()
    instruction = "the toy elephant"
    wanted = Referrer.from_pretrained("nano").refer(scene, instruction)
    assert scene.camera is not None
    assert scene.depth_m is not None
    with FakeCamera(process.client.node) as camera:
        camera.publish(
            Shot(
                image_message(scene.rgb, "camera"),
                depth_message(scene.depth_m, "camera"),
                camera_message(scene.camera),
            )
        )
        result = ask(process, instruction)
    assert result.result.model_id == "nano", result.error_msg
    assert result.result.raw_answer == wanted.raw_answer
    found, best = result.result.targets[0], wanted.points[0]
    assert (found.u, found.v) == pytest.approx(best.uv_px)
    assert best.p_cam_m is not None
    position = found.position
    assert (position.x, position.y, position.z) == pytest.approx(best.p_cam_m)


def test_a_cancelled_question_does_not_disturb_our_own_model(
    process: NodeProcess, camera: FakeCamera
) -> None:
    process.start(depth__max_m=10.0)
    pid = worker_pid(process)
    for _ in range(5):
        camera.publish()
        pending = process.client.ask("the mug")
        time.sleep(0.01)
        pending.cancel()
        assert pending.raw_result(ASK_S).error_code in (
            ErrorCode.CANCELLED, ErrorCode.OK, ErrorCode.NO_TARGET,
        )  # fmt: skip
    camera.publish()
    assert ask(process).error_code in (ErrorCode.OK, ErrorCode.NO_TARGET)
    assert worker_pid(process) == pid
