"""The G1 adapter and a robot that follows, hangs limp, falls silent, or is in another state."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_camera import wait_for
from fake_g1 import OTHERS_RAD
from robo_refer_msgs.msg import ReferTarget
from robot_process import RobotProcess, robot_file, target

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.g1 import G1

URDF = robot_file("g1_description/urdf/g1_29dof_rev_1_0.urdf")
SETTINGS = {"urdf": URDF, "dry_run": "false", "max_age_s": 20.0, "stream.speed": 0.2,
            "stream.ramp_s": 0.4, "stream.hold_s": 1.0}  # fmt: skip
PLACE = (0.30, -0.20, 0.20)
HERE = {"frame": "pelvis"}


@pytest.fixture(scope="module")
def running(ros: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RobotProcess]:
    folder: Path = tmp_path_factory.mktemp("g1")
    with RobotProcess(folder, "fake_g1", "g1", SETTINGS) as process:
        process.wait_until_ready(target(*PLACE, **HERE))
        yield process


@pytest.fixture
def robot(running: RobotProcess) -> RobotProcess:
    running.tell(mode="follow", program="801")
    return running


def refused(robot: RobotProcess, wanted: ReferTarget) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(wanted)
    return caught.value


def commands(robot: RobotProcess) -> list[dict[str, Any]]:
    return robot.events("command")


def gave_back(robot: RobotProcess) -> bool:
    """Whether the last command has no weight, and none made it jump."""
    weights = [event["weight"] for event in commands(robot)]
    return weights[-1] == 0.0 and bool(np.abs(np.diff(weights)).max() < 0.2)


def test_the_hand_reaches_the_target_and_the_arm_is_given_back(robot: RobotProcess) -> None:
    done = robot.client.reach(target(*PLACE, **HERE))
    assert done.moved
    wait_for(lambda: commands(robot)[-1]["weight"] == 0.0)
    told = commands(robot)
    assert all(each["is_intact"] for each in told)
    assert {each["mode_machine"] for each in told} == {5}
    assert {tuple(each["modes"]) for each in told} == {(0,) * 12 + (1,) * 17 + (0,) * 6}
    assert gave_back(robot)
    joints_rad = np.array([*OTHERS_RAD, *told[-1]["q"]])
    hand = G1(URDF, "right").arm(joints_rad).forward(told[-1]["q"])
    np.testing.assert_allclose(hand[:3, 3], PLACE, atol=2e-3)
    p = done.grasp.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], PLACE, atol=2e-3)
    assert done.retreat.header.frame_id == ""


def test_the_other_arm_and_the_waist_are_held_where_they_were(robot: RobotProcess) -> None:
    robot.client.reach(target(*PLACE, **HERE))
    wait_for(lambda: commands(robot)[-1]["weight"] == 0.0)
    for each in commands(robot):
        np.testing.assert_allclose(each["others"], OTHERS_RAD, atol=1e-6)
        assert each["kp"] > 0


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (lambda: target(*PLACE, **HERE, depth=ReferTarget.DEPTH_NONE), ErrorCode.NO_DEPTH),
        (lambda: target(*PLACE, **HERE, age_s=25.0), ErrorCode.STALE_IMAGE),
        (lambda: target(-0.3, 0.0, 0.2, **HERE), ErrorCode.OUT_OF_WORKSPACE),
        (lambda: target(0.79, 0.69, 0.89, **HERE), ErrorCode.OUT_OF_WORKSPACE),
    ],
)
def test_what_must_not_be_reached_for_moves_nothing(
    robot: RobotProcess, wanted: Any, code: ErrorCode
) -> None:
    assert refused(robot, wanted()).code is code
    assert commands(robot) == []


@pytest.mark.parametrize("state", ["1", "mute", "error"])
def test_without_the_right_state_nothing_is_streamed(robot: RobotProcess, state: str) -> None:
    robot.tell(program=state)
    result = robot.result(target(*PLACE, **HERE))
    assert (result.error_code, result.moved) == (ErrorCode.ROBOT_NOT_READY, False)
    assert commands(robot) == []


def test_a_dry_run_streams_nothing(robot: RobotProcess) -> None:
    robot.set("dry_run", True)
    try:
        done = robot.client.reach(target(*PLACE, **HERE))
    finally:
        robot.set("dry_run", False)
    assert not done.moved
    assert commands(robot) == []


def test_a_limp_arm_is_noticed_and_given_back(robot: RobotProcess) -> None:
    robot.tell(mode="limp")
    elsewhere = target(0.25, -0.35, 0.05, **HERE)
    error = refused(robot, elsewhere)
    assert error.code is ErrorCode.MOTION_FAILED
    assert "rad from where it was sent" in error.message
    wait_for(lambda: gave_back(robot))


def test_a_robot_that_falls_silent_is_let_go(robot: RobotProcess) -> None:
    robot.tell(mode="mute")
    result = robot.result(target(*PLACE, **HERE))
    assert (result.error_code, result.moved) == (ErrorCode.MOTION_FAILED, True)
    assert "silent" in result.error_msg
    wait_for(lambda: gave_back(robot))


def test_the_client_can_stop_it(robot: RobotProcess) -> None:
    stopped: Future[str] = Future()

    def stop_when_it_moves() -> None:
        wait_for(lambda: len(commands(robot)) > 5)
        stopped.set_result("enough")

    threading.Thread(target=stop_when_it_moves).start()
    with pytest.raises(RoboReferError) as caught:
        robot.client.reach(target(*PLACE, **HERE), stopped=stopped)
    assert caught.value.code is ErrorCode.CANCELLED
    wait_for(lambda: gave_back(robot))


def test_an_adapter_that_ends_gives_the_arm_back(running: RobotProcess) -> None:
    """The last of this module: it ends the adapter."""
    running.tell(mode="follow", program="801")
    elsewhere = target(0.25, -0.35, 0.05, **HERE)
    threading.Thread(target=lambda: refused(running, elsewhere), daemon=True).start()
    wait_for(lambda: len(commands(running)) > 5)
    assert running.end_adapter() == 0, running.said()
    wait_for(lambda: gave_back(running))
