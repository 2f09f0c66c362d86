"""The UR adapter and a controller that follows, rejects, aborts, and falls silent."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest
from fake_camera import wait_for
from geometry_msgs.msg import TransformStamped
from listening import Listening
from rclpy.qos import DurabilityPolicy, QoSProfile
from robo_refer_msgs.msg import ReferTarget
from robo_refer_robots.ur5.readiness import judge_controllers
from robo_refer_robots.ur5.settings import default_controller
from robot_process import CALL_S, HERE, RobotProcess, robot_file, target
from std_msgs.msg import Bool
from tf2_msgs.msg import TFMessage

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.ur5 import JOINTS, Ur5

URDF = robot_file("ur_description/urdf/ur5_robot.urdf")
SETTINGS = {"dry_run": "false", "speed": 1.0, "max_age_s": 20.0, "slack_s": 6.0,
            "grasp.hold_s": 0.0}  # fmt: skip
PLACE = (0.45, 0.15, 0.10)


@pytest.fixture(scope="module")
def running(ros: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RobotProcess]:
    folder: Path = tmp_path_factory.mktemp("ur5")
    (folder / "urdf").write_text(URDF.read_text())  # as robot_state_publisher does
    with RobotProcess(folder, "fake_ur", "ur5", SETTINGS) as process:
        process.wait_until_ready(target(*PLACE))
        yield process


@pytest.fixture
def robot(running: RobotProcess) -> RobotProcess:
    running.tell(mode="follow", program="true")
    return running


def refused(robot: RobotProcess, wanted: ReferTarget) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(wanted)
    return caught.value


def test_it_goes_to_the_target_and_up_again(robot: RobotProcess) -> None:
    stages: list[str] = []
    done = robot.client.reach(target(*PLACE), on_stage=stages.append)
    assert done.moved
    assert stages == ["planning", "checking", "reaching", "holding", "retreating"]
    at_target, at_rest = (np.array(event["joints"]) for event in robot.events("arrived"))
    arm = Ur5(URDF).arm
    np.testing.assert_allclose(arm.forward(at_target)[:3, 3], [0.45, 0.15, 0.08], atol=1e-3)
    np.testing.assert_allclose(arm.forward(at_rest)[:3, 3], [0.45, 0.15, 0.23], atol=1e-3)
    assert done.reach_path.joint_names == list(JOINTS)
    p = done.pregrasp.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], [0.45, 0.15, 0.20], atol=1e-6)
    assert done.grasp.header.frame_id == "base_link"


def test_a_dry_run_plans_the_same_and_sends_nothing(robot: RobotProcess) -> None:
    robot.set("dry_run", True)
    try:
        done = robot.client.reach(target(*PLACE))
    finally:
        robot.set("dry_run", False)
    assert not done.moved
    assert len(done.reach_path.points) > 3
    assert len(done.retreat_path.points) > 1
    assert robot.events("accepted") == []


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (lambda: target(*PLACE, depth=ReferTarget.DEPTH_AMBIGUOUS), ErrorCode.NO_DEPTH),
        (lambda: target(*PLACE, depth=ReferTarget.DEPTH_ESTIMATED), ErrorCode.NO_DEPTH),
        (lambda: target(*PLACE, depth=200), ErrorCode.NO_DEPTH),
        (lambda: target(*PLACE, age_s=25.0), ErrorCode.STALE_IMAGE),
        (lambda: target(*PLACE, age_s=-5.0), ErrorCode.STALE_IMAGE),
        (lambda: target(0.2, 0.1, 1.5), ErrorCode.OUT_OF_WORKSPACE),
        (lambda: target(0.89, 0.89, 0.5), ErrorCode.OUT_OF_WORKSPACE),
        (lambda: target(math.nan, 0.1, 0.1), ErrorCode.OUT_OF_WORKSPACE),
        (lambda: target(*PLACE, frame="nowhere"), ErrorCode.TF_ERROR),
    ],
)  # fmt: skip
def test_what_must_not_be_reached_for_moves_nothing(
    robot: RobotProcess, wanted: object, code: ErrorCode
) -> None:
    assert refused(robot, wanted()).code is code  # type: ignore[operator]
    assert robot.events("accepted") == []


def test_targets_of_a_camera_are_transformed(robot: RobotProcess) -> None:
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    publisher = robot.side.node.create_publisher(TFMessage, "/tf_static", latched)
    message = TransformStamped(child_frame_id="camera")
    message.header.frame_id = "base_link"
    message.transform.translation.x = 0.40
    publisher.publish(TFMessage(transforms=[message]))
    wait_for(publisher.get_subscription_count)
    done = robot.client.reach(target(0.05, 0.15, 0.10, frame="camera"))
    p = done.grasp.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], [0.45, 0.15, 0.08], atol=1e-6)


def test_a_rejected_path(robot: RobotProcess) -> None:
    robot.tell(mode="reject")
    result = robot.result(target(*PLACE))
    assert (result.error_code, result.moved) == (ErrorCode.MOTION_REJECTED, False)
    assert "scaled_joint_trajectory_controller" in result.error_msg


def test_a_rejected_retreat_comes_after_a_motion(robot: RobotProcess) -> None:
    robot.tell(mode="reject_retreat")
    result = robot.result(target(*PLACE))
    assert (result.error_code, result.moved) == (ErrorCode.MOTION_REJECTED, True)
    assert len(robot.events("arrived")) == 1


def test_an_aborted_path_is_told_in_the_controllers_words(robot: RobotProcess) -> None:
    robot.tell(mode="abort")
    error = refused(robot, target(*PLACE))
    assert error.code is ErrorCode.MOTION_FAILED
    assert "PATH_TOLERANCE_VIOLATED (elbow_joint path error 0.4)" in error.message
    assert len(robot.events("accepted")) == 1, "no retreat after that"


def test_a_silent_controller_is_given_up_and_stopped(robot: RobotProcess) -> None:
    robot.tell(mode="silent")
    error = refused(robot, target(*PLACE))
    assert error.code is ErrorCode.MOTION_TIMEOUT
    assert len(robot.events("cancelled")) == 1


def test_a_controller_that_does_not_confirm_its_stop(robot: RobotProcess) -> None:
    robot.tell(mode="stubborn")
    error = refused(robot, target(*PLACE))
    assert error.code is ErrorCode.MOTION_TIMEOUT
    assert "did not confirm" in error.message


@pytest.mark.parametrize("mode", ["unstoppable", "endless"])
def test_a_controller_that_goes_on_is_no_stop(robot: RobotProcess, mode: str) -> None:
    """Neither a cancellation that it rejects, nor one after which it does not end."""
    robot.tell(mode=mode)
    stopped: Future[str] = Future()

    def stop() -> None:
        wait_for(lambda: robot.events("accepted"))
        stopped.set_result("enough")

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(target(*PLACE), stopped=stopped)
    assert len(robot.events("cancelled")) == 1
    assert caught.value.code is ErrorCode.MOTION_TIMEOUT
    assert "did not confirm" in caught.value.message


def test_a_program_that_does_not_play(robot: RobotProcess) -> None:
    topic = "/io_and_status_controller/robot_program_running"
    with Listening(robot.side.node, Bool, topic) as program:
        robot.tell(program="false")
        program.wait(lambda message: not message.data)
        program.messages.clear()
        program.wait()  # one more: the first has arrived at the adapter too
    error = refused(robot, target(*PLACE))
    assert error.code is ErrorCode.ROBOT_NOT_READY
    assert "program" in error.message
    assert robot.events("accepted") == []


def test_the_client_can_stop_it(robot: RobotProcess) -> None:
    robot.tell(mode="silent")
    stopped: Future[str] = Future()

    def stop() -> None:
        wait_for(lambda: robot.events("accepted"))
        stopped.set_result("enough")

    threading.Thread(target=stop, daemon=True).start()
    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(target(*PLACE), stopped=stopped)
    assert caught.value.code is ErrorCode.CANCELLED
    assert len(robot.events("cancelled")) == 1


def test_also_from_the_callback_of_a_stage(robot: RobotProcess) -> None:
    robot.tell(mode="silent")
    stopped: Future[str] = Future()

    def stop(stage: str) -> None:
        if stage == "reaching":
            stopped.set_result("enough")

    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(target(*PLACE), on_stage=stop, stopped=stopped)
    assert caught.value.code is ErrorCode.CANCELLED
    assert robot.events("arrived") == []


def test_ctrl_c_of_the_client_stops_it(robot: RobotProcess) -> None:
    robot.tell(mode="silent")
    x, y, z = PLACE
    words = (
        "from robo_refer_robots.client import ReachClient; from robot_process import target\n"
        f"with ReachClient('/ur5') as robot: robot.reach(target({x}, {y}, {z}))"
    )
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    client = subprocess.Popen(
        [sys.executable, "-c", words],
        env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for(lambda: robot.events("accepted"))
        client.send_signal(signal.SIGINT)
        wait_for(lambda: robot.events("cancelled"))
        client.wait(CALL_S)
    finally:
        client.kill()


def test_an_adapter_that_ends_stops_its_robot_first(
    ros: None, running: RobotProcess, tmp_path: Path
) -> None:
    """The last of this module: it ends the adapter."""
    running.tell(mode="silent")
    reaching = threading.Thread(target=lambda: refused(running, target(*PLACE)), daemon=True)
    reaching.start()
    wait_for(lambda: running.events("accepted"))
    assert running.end_adapter() == 0, running.said()
    wait_for(lambda: running.events("cancelled"))  # noted by another process
    assert len(running.events("cancelled")) == 1
    assert "Traceback" not in running.said(), running.said()


def test_default_controllers() -> None:
    assert default_controller("jazzy") == "scaled_joint_trajectory_controller"
    assert default_controller("lyrical") == "joint_trajectory_controller"


def test_controllers_are_judged_by_their_state() -> None:
    states = {"scaled": "inactive", "passthrough": "active"}
    judge_controllers(states, "passthrough")
    for wanted, words in (("scaled", "is inactive"), ("other", "does not exist")):
        with pytest.raises(RoboReferError) as caught:
            judge_controllers(states, wanted)
        assert caught.value.code is ErrorCode.ROBOT_NOT_READY
        assert words in caught.value.message
        assert "passthrough" in caught.value.message
