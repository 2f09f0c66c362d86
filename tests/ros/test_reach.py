"""All of it: an instruction, a camera, a model, the adapter, and a controller that arrives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from fake_camera import CAMERA, DEPTH_M, FRAME, HEIGHT, WIDTH, FakeCamera
from fake_server import FakeServer
from node_process import NodeProcess
from robot_process import RobotProcess, robot_file

from robo_refer.robots.ur5 import Ur5

URDF = robot_file("ur_description/urdf/ur5_robot.urdf")
SHIFT = (0.45, 0.10, -0.70)


def test_robo_refer_ros_reach(
    node: NodeProcess, camera: FakeCamera, server: FakeServer, tmp_path: Path
) -> None:
    server.answer = "[(0.500, 0.500)]"
    settings = {"urdf": URDF, "dry_run": "false", "speed": 1.0, "max_age_s": 30.0,
                "grasp.hold_s": 0.0}  # fmt: skip
    with RobotProcess(tmp_path, "fake_ur", "ur5", settings) as robot:
        camera.transform("base_link", FRAME, SHIFT, static=True)
        camera.publish()
        done = subprocess.run(
            [sys.executable, "-m", "robo_refer.cli.main", "ros", "reach", "the wall"],
            env=os.environ, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + robot.said()
        assert '"the wall"' in done.stdout
        assert "  reach  " in done.stdout
        assert "dry_run" not in done.stdout
        assert "holding ..." in done.stderr
        joints = robot.events("arrived")[0]["joints"]
    seen = (np.array([WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5]) - (CAMERA.cx, CAMERA.cy)) / CAMERA.fx
    wanted = np.array([*(seen * DEPTH_M), DEPTH_M]) + SHIFT
    tool = Ur5(URDF).arm.forward(joints)[:3, 3]
    np.testing.assert_allclose(tool, wanted - (0, 0, 0.02), atol=2e-3)
