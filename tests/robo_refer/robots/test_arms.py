"""Real arms: what inverse kinematics returns leads there, and paths keep every limit."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.arm import Arm
from robo_refer.robots.g1 import G1, WEIGHT_MOTOR, Side, StreamOptions, arm_slice
from robo_refer.robots.grasp import GraspOptions
from robo_refer.robots.path import JointPath, straight_line, timed
from robo_refer.robots.target import Target
from robo_refer.robots.unitree import LowCommand, MotorCommand, crc32_words
from robo_refer.robots.ur5 import JOINTS, READY_RAD, Ur5
from tests.robo_refer.robots.descriptions import G1 as G1_FILE
from tests.robo_refer.robots.descriptions import UR5, robot_file

TARGET = Target((0.45, 0.15, 0.10), "ok", stamp_s=10.0)
READY = np.asarray(READY_RAD)


@pytest.fixture(scope="module")
def ur5() -> Ur5:
    return Ur5(robot_file(UR5))


STREAM = StreamOptions(ramp_s=0.2, hold_s=0.1)
POSTURE = np.linspace(-0.2, 0.2, 17)  # of waist and arms: nothing is where it would be by default


@pytest.fixture(scope="module")
def g1() -> G1:
    return G1(robot_file(G1_FILE), "right", STREAM)


def test_solutions_lead_to_the_pose_within_the_limits(ur5: Ur5) -> None:
    rng = np.random.default_rng(0)
    arm, solved = ur5.arm, 0
    for _ in range(40):
        wanted = arm.forward(rng.uniform(-2.5, 2.5, 6))
        try:
            q = arm.solve(wanted, READY)
        except RoboReferError:
            continue
        solved += 1
        np.testing.assert_allclose(arm.forward(q), wanted, atol=2e-3)
        assert ((arm.lower_rad <= q) & (q <= arm.upper_rad)).all()
    assert solved >= 36, "random reachable poses"


def test_a_pose_out_of_reach_is_an_error(ur5: Ur5) -> None:
    pose = np.eye(4)
    pose[:3, 3] = (1.5, 0.0, 0.5)
    with pytest.raises(RoboReferError) as caught:
        ur5.arm.solve(pose, READY)
    assert caught.value.code is ErrorCode.OUT_OF_WORKSPACE


def test_wrong_names_and_files_are_errors() -> None:
    for urdf, joints, frame in (
        (robot_file(UR5), [*JOINTS, "tail_joint"], "tool0"),
        (robot_file(UR5), JOINTS, "nose"),
        (robot_file(UR5).with_name("nothing.urdf"), JOINTS, "tool0"),
    ):
        with pytest.raises(RoboReferError) as caught:
            Arm(urdf, joints, "base_link", frame)
        assert caught.value.code is ErrorCode.BAD_FILE


@pytest.mark.parametrize(
    ("what", "instead"),
    [('velocity="3.', 'velocity="-0.'), ('type="revolute"', 'type="continuous"')],
)
def test_joints_without_limits_are_errors(what: str, instead: str, tmp_path: Path) -> None:
    text = robot_file(UR5).read_text()
    assert what in text
    (tmp_path / "arm.urdf").write_text(text.replace(what, instead))
    with pytest.raises(RoboReferError, match="limit") as caught:
        Arm(tmp_path / "arm.urdf", JOINTS, "base_link", "tool0")
    assert caught.value.code is ErrorCode.BAD_FILE


def keeps_limits(path: JointPath, arm: Arm, start: np.ndarray, speed: float) -> None:
    rows = np.vstack([start, path.positions_rad])
    times = np.concatenate([[0.0], path.times_s])
    assert (np.diff(times) > 0).all()
    rates = np.abs(np.diff(rows, axis=0) / np.diff(times)[:, None])
    assert (rates <= speed * arm.max_speed_rad_s * 1.05).all()
    assert (np.abs(path.velocities_rad_s) <= speed * arm.max_speed_rad_s * 1.1).all()
    np.testing.assert_allclose(path.velocities_rad_s[-1], 0, atol=1e-9)


def test_a_grasp_goes_straight_down_and_up(ur5: Ur5) -> None:
    plan = ur5.plan(TARGET, READY, now_s=10.5)
    keeps_limits(plan.reach, ur5.arm, READY, 0.2)
    keeps_limits(plan.retreat, ur5.arm, plan.reach.positions_rad[-1], 0.2)
    tools = [ur5.arm.forward(q) for q in plan.reach.positions_rad]
    np.testing.assert_allclose(tools[-1], plan.poses.T_base_grasp, atol=2e-3)
    np.testing.assert_allclose(tools[0], plan.poses.T_base_pregrasp, atol=2e-3)
    for tool in tools:  # the approach: only the height changes
        np.testing.assert_allclose(tool[:2, 3], TARGET.position_m[:2], atol=2e-3)
    last = ur5.arm.forward(plan.retreat.positions_rad[-1])
    np.testing.assert_allclose(last, plan.poses.T_base_retreat, atol=2e-3)
    assert tools[-1][2, 3] == pytest.approx(TARGET.position_m[2] - 0.02, abs=2e-3)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (replace(TARGET, depth_status="none"), ErrorCode.NO_DEPTH),
        (replace(TARGET, stamp_s=1.0), ErrorCode.STALE_IMAGE),
        (replace(TARGET, position_m=(0.89, 0.89, 0.1)), ErrorCode.OUT_OF_WORKSPACE),
    ],
)
def test_no_plan_for_what_must_not_be_reached(ur5: Ur5, target: Target, code: ErrorCode) -> None:
    with pytest.raises(RoboReferError) as caught:
        ur5.plan(target, READY, now_s=10.5, grasp=GraspOptions())
    assert caught.value.code is code


@pytest.mark.parametrize("speed", [0.0, -0.2, 1.5, float("nan")])
def test_no_path_is_faster_than_the_joints_or_stands_still(ur5: Ur5, speed: float) -> None:
    with pytest.raises(RoboReferError, match="no share") as caught:
        timed(ur5.arm, [np.array([READY, READY + 0.1])], speed)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_a_line_on_which_the_arm_swings_round_is_refused(ur5: Ur5) -> None:
    here = ur5.arm.forward(READY)
    beyond = here.copy()
    beyond[0, 3] = -here[0, 3]  # close by its own shoulder
    with pytest.raises(RoboReferError, match="turn over") as caught:
        straight_line(ur5.arm, here, beyond, READY, step_m=0.2)
    assert caught.value.code is ErrorCode.OUT_OF_WORKSPACE


@pytest.mark.parametrize(("side", "first"), [("left", 15), ("right", 22)])
def test_g1_reaches_and_gives_its_arm_back(side: Side, first: int) -> None:
    g1 = G1(robot_file(G1_FILE), side, STREAM)
    start, own = POSTURE[arm_slice(side)], slice(first, first + 7)
    target = Target((0.30, 0.20 if side == "left" else -0.20, 0.20), "ok", 10.0, frame="pelvis")
    path = g1.plan(target, POSTURE, now_s=10.2)
    arm = g1.arm(POSTURE)
    keeps_limits(path, arm, start, 0.03)
    hand = arm.forward(path.positions_rad[-1])
    np.testing.assert_allclose(hand[:3, 3], target.position_m, atol=1e-3)
    commands = list(g1.commands(path, POSTURE, mode_machine=5, fsm_id=801))
    commands += g1.release(commands[-1])
    weights = [command.motors[WEIGHT_MOTOR].q_rad for command in commands]
    assert (weights[0], max(weights), weights[-1]) == (0.0, 1.0, 0.0)
    assert max(np.abs(np.diff(weights))) <= 0.2
    assert len(commands) / 50 == pytest.approx(0.2 + path.times_s[-1] + 0.1 + 0.2, abs=0.1)
    angles = np.array([[m.q_rad for m in command.motors[own]] for command in commands])
    np.testing.assert_allclose(angles[0], start)
    assert np.abs(np.diff(angles, axis=0)).max() < 0.05
    np.testing.assert_allclose(angles[-1], path.positions_rad[-1])
    for command in commands:
        assert command.mode_machine == 5
        assert {m.mode for m in command.motors[:12] + command.motors[WEIGHT_MOTOR:]} == {0}


@pytest.mark.parametrize("side", ["left", "right"])
def test_g1_holds_the_waist_and_the_other_arm_where_they_were(side: Side) -> None:
    g1 = G1(robot_file(G1_FILE), side, STREAM)
    target = Target((0.30, 0.20 if side == "left" else -0.20, 0.20), "ok", 0.0, frame="pelvis")
    path = g1.plan(target, POSTURE, now_s=0.0)
    commands = list(g1.commands(path, POSTURE, mode_machine=5, fsm_id=801))
    commands += g1.release(commands[-1])
    for command in commands:
        shared = command.motors[12:29]
        assert {(m.mode, m.kp, m.kd) for m in shared} == {(1, STREAM.kp, STREAM.kd)}
        angles = np.array([m.q_rad for m in shared])
        np.testing.assert_array_equal(
            np.delete(angles, arm_slice(side)), np.delete(POSTURE, arm_slice(side))
        )


def test_g1_reaches_from_a_waist_that_is_turned(g1: G1) -> None:
    """The hand turns with it, about the pelvis's z axis."""
    straight, turned = np.zeros(17), np.zeros(17)
    turned[0] = 0.4
    at_rest = g1.arm(straight).forward(np.zeros(7))[:3, 3]
    c, s = np.cos(0.4), np.sin(0.4)
    about_z = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(
        g1.arm(turned).forward(np.zeros(7))[:3, 3], about_z @ at_rest, atol=0.01
    )
    target = Target((0.30, -0.10, 0.20), "ok", 0.0, "pelvis")
    end = g1.plan(target, turned, 0.0).positions_rad[-1]
    hand, astray = g1.arm(turned).forward(end), g1.arm(straight).forward(end)
    np.testing.assert_allclose(hand[:3, 3], target.position_m, atol=1e-3)
    assert np.linalg.norm(astray[:3, 3] - target.position_m) > 0.05


def test_g1_is_released_from_whatever_weight_it_had(g1: G1) -> None:
    motors = [MotorCommand(mode=1, q_rad=0.1 * number, kp=1.0) for number in range(35)]
    motors[WEIGHT_MOTOR] = MotorCommand(q_rad=0.4)
    last = LowCommand(5, tuple(motors))
    released = list(g1.release(last))
    weights = [command.motors[WEIGHT_MOTOR].q_rad for command in released]
    assert (weights[0], weights[-1]) == (0.4, 0.0)
    assert (np.diff(weights) < 0).all()
    for command in released:
        motors[WEIGHT_MOTOR] = command.motors[WEIGHT_MOTOR]
        assert command == replace(last, motors=tuple(motors))


def test_g1_refuses_other_states_and_far_targets(g1: G1) -> None:
    path = g1.plan(Target((0.30, -0.20, 0.20), "ok", 0.0, "pelvis"), np.zeros(17), 0.0)
    with pytest.raises(RoboReferError) as caught:
        next(g1.commands(path, np.zeros(17), mode_machine=5, fsm_id=1))
    assert caught.value.code is ErrorCode.ROBOT_NOT_READY
    with pytest.raises(RoboReferError) as caught:
        g1.plan(Target((0.79, 0.69, 0.89), "ok", 0.0, "pelvis"), np.zeros(17), 0.0)
    assert caught.value.code is ErrorCode.OUT_OF_WORKSPACE


def bitwise_crc(words: tuple[int, ...]) -> int:
    """Compute the checksum the slow way, bit by bit."""
    crc = 0xFFFFFFFF
    for word in words:
        for place in range(31, -1, -1):
            top = crc >> 31
            crc = (crc << 1) & 0xFFFFFFFF
            if top != (word >> place) & 1:
                crc ^= 0x04C11DB7
    return crc


def test_the_checksum_is_over_the_message_in_its_c_layout() -> None:
    words = tuple(int(n) for n in np.random.default_rng(0).integers(0, 2**32, 20))
    assert crc32_words(words) == bitwise_crc(words)
    motors = [MotorCommand()] * 35
    motors[22] = MotorCommand(mode=1, q_rad=0.5, kp=60.0, kd=1.5)
    command = LowCommand(7, tuple(motors))
    data = bytes([0, 7, 0, 0])
    for m in motors:
        data += bytes([m.mode, 0, 0, 0])
        data += struct.pack("<5f", m.q_rad, m.dq_rad_s, m.tau_nm, m.kp, m.kd) + bytes(4)
    data += bytes(16)  # reserve
    assert command.checksum() == bitwise_crc(struct.unpack(f"<{len(data) // 4}I", data))
    assert command.checksum() != replace(command, mode_machine=8).checksum()
