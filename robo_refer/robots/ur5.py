"""UR5 and UR5e: a target becomes a grasp path for the six joints of the arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from robo_refer.robots.arm import Arm
from robo_refer.robots.grasp import GraspOptions, GraspPoses, grasp_poses
from robo_refer.robots.path import JointPath, Matrix, straight_line, timed
from robo_refer.robots.target import GuardOptions, Target, check_target

JOINTS = (
    "shoulder_pan_joint",
    "shoulder_lift_joint",
    "elbow_joint",
    "wrist_1_joint",
    "wrist_2_joint",
    "wrist_3_joint",
)
CONTROLLERS = {
    "jazzy": "scaled_joint_trajectory_controller",
    "lyrical": "joint_trajectory_controller",
}
"""Default controllers of the UR driver: speed scaling moved into the standard one in Lyrical."""

READY_RAD = (0.0, -1.57, 1.57, -1.57, -1.57, 0.0)
"""A posture above the table, tool down, from which most of it is in reach."""


@dataclass(frozen=True)
class GraspPath:
    """Tool poses, and the joint paths to the target and back up again."""

    poses: GraspPoses
    reach: JointPath
    retreat: JointPath


class Ur5:
    """Plans grasps; does not move anything.

    Args:
        urdf: description of the arm (`ur_description`), for UR5 or UR5e.
        base_frame, tool_frame: links in it.
        speed: share of the joints' speed limits, (0, 1].
    """

    def __init__(
        self,
        urdf: Path,
        base_frame: str = "base_link",
        tool_frame: str = "tool0",
        speed: float = 0.2,
    ) -> None:
        self.arm = Arm(urdf, JOINTS, base_frame, tool_frame)
        self._speed = speed

    def plan(
        self,
        target: Target,
        start_rad: Matrix,
        now_s: float,
        grasp: GraspOptions | None = None,
        guard: GuardOptions | None = None,
    ) -> GraspPath:
        """Return the path from where the joints are, over the target, to it, and up again.

        Raises:
            RoboReferError: those of `check_target`, and OUT_OF_WORKSPACE where the arm cannot go.
        """
        check_target(target, now_s, guard or GuardOptions(), self.arm.base_frame)
        poses = grasp_poses(target.position_m, grasp or GraspOptions())
        start = np.asarray(start_rad, float)
        above = self.arm.solve(poses.T_base_pregrasp, np.asarray(READY_RAD))
        down = straight_line(self.arm, poses.T_base_pregrasp, poses.T_base_grasp, above)
        up = straight_line(self.arm, poses.T_base_grasp, poses.T_base_retreat, down[-1])
        reach = timed(self.arm, [np.array([start, above]), down], self._speed)
        return GraspPath(poses, reach, timed(self.arm, [up], self._speed))
