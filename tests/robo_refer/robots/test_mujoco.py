"""A UR5 with weight, motors and friction follows a planned path, and its tool arrives."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robo_refer.robots.path import JointPath
from robo_refer.robots.target import Target
from robo_refer.robots.ur5 import JOINTS, READY_RAD, Ur5
from tests.robo_refer.robots.descriptions import UR5, robot_file

mujoco = pytest.importorskip("mujoco")

STIFFNESS, DAMPING = 12000.0, 1000.0  # N m per rad, N m s per rad: of harmonic drives
STEP_S = 0.002
ARRIVED_M = 0.005


def simulated_arm(urdf: Path) -> tuple[Any, Any]:
    """Return model and data of the arm: position servos on all joints, no meshes, nothing to hit.

    The servos do not know of gravity: the arm sags by what their stiffness allows.
    """
    text = re.sub(r"<(visual|collision)\b.*?</\1>", "", urdf.read_text(), flags=re.S)
    text = text.replace("</robot>", '<mujoco><compiler fusestatic="false"/></mujoco></robot>')
    spec = mujoco.MjSpec.from_string(text)
    spec.option.timestep = STEP_S
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    for joint in spec.joints:
        actuator = spec.add_actuator(name=joint.name, target=joint.name)
        actuator.trntype = mujoco.mjtTrn.mjTRN_JOINT
        actuator.set_to_position(kp=STIFFNESS, kv=DAMPING)
    model = spec.compile()
    return model, mujoco.MjData(model)


def play(model: Any, data: Any, path: JointPath) -> None:
    """Command the path as a joint trajectory controller does, and half a second of rest."""
    start = data.ctrl.copy()
    times = np.concatenate([[0.0], path.times_s])
    rows = np.vstack([start, path.positions_rad])
    for clock_s in np.arange(0.0, path.times_s[-1] + 0.5, STEP_S):
        data.ctrl[:] = [np.interp(clock_s, times, column) for column in rows.T]
        mujoco.mj_step(model, data)


@pytest.mark.parametrize("place", [(0.45, 0.15, 0.10), (0.30, -0.40, 0.25), (0.55, 0.0, 0.05)])
def test_the_tool_of_a_real_arm_arrives(place: tuple[float, float, float]) -> None:
    ur5 = Ur5(robot_file(UR5))
    plan = ur5.plan(Target(place, "ok", 0.0), np.asarray(READY_RAD), now_s=0.0)
    model, data = simulated_arm(robot_file(UR5))
    names = [model.joint(number).name for number in range(model.njnt)]
    assert names == list(JOINTS)
    data.qpos[:] = data.ctrl[:] = READY_RAD
    for path, pose in ((plan.reach, plan.poses.T_base_grasp),
                       (plan.retreat, plan.poses.T_base_retreat)):  # fmt: skip
        play(model, data, path)
        base, tool = data.body("base_link").xpos, data.body("tool0").xpos
        assert np.linalg.norm(tool - base - pose[:3, 3]) < ARRIVED_M
        assert np.abs(data.qvel).max() < 0.01, "it rests"
