"""Inverse kinematics of any arm in a URDF, by damped least squares with restarts (Pinocchio)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pinocchio as pin
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class IkOptions:
    """When a solution is good enough, and how hard it is looked for.

    Attributes:
        position_tol_m, rotation_tol_rad: largest error of a solution.
        iterations, restarts: per start, and random starts after the given one.
        damping: of the least squares; larger is slower and calmer near singular poses.
        seed: of the random starts, so that the same question has the same answer.
    """

    position_tol_m: float = 1e-4
    rotation_tol_rad: float = 1e-3
    iterations: int = 150
    restarts: int = 12
    damping: float = 1e-4
    seed: int = 0


class Arm:
    """The moving joints of an arm, all others locked: at zero, or as `on` says.

    Args:
        urdf: the robot's description; meshes are not read.
        joints: names of the arm's joints, from the base outwards.
        base_frame, tool_frame: links that poses are given between.
        options: of the inverse kinematics.

    Raises:
        RoboReferError: BAD_FILE when the description cannot be read, lacks one of the names, or
            has joints that are not revolute with limits.
    """

    def __init__(
        self,
        urdf: Path,
        joints: Sequence[str],
        base_frame: str,
        tool_frame: str,
        options: IkOptions | None = None,
    ) -> None:
        whole = _read_model(urdf, [*joints], [base_frame, tool_frame])
        self._whole = whole
        self._locked = [whole.getJointId(name) for name in whole.names[1:] if name not in joints]
        self._lock({})
        self.base_frame = base_frame
        self._base = self._model.getFrameId(base_frame)
        self._tool = self._model.getFrameId(tool_frame)
        self._options = options or IkOptions()
        self.joints = tuple(self._model.names[1:])
        self.lower_rad = np.maximum(self._model.lowerPositionLimit, -np.pi)
        self.upper_rad = np.minimum(self._model.upperPositionLimit, np.pi)
        self.max_speed_rad_s = np.asarray(self._model.velocityLimit, float)
        if self._model.nq != len(self.joints) or not (self.max_speed_rad_s > 0).all():
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"In {urdf} some of the arm's joints turn without end or have no speed limit.",
                "Describe them as revolute joints, each with its limits of angle and velocity.",
            )

    def on(self, others_rad: Mapping[str, float]) -> Arm:
        """Return the same arm with other joints locked at these angles; the rest stay at zero.

        Joints that the robot does not have are left out: their links are fixed.
        """
        arm = copy(self)
        arm._lock(others_rad)
        return arm

    def _lock(self, others_rad: Mapping[str, float]) -> None:
        at = pin.neutral(self._whole)
        for name, angle_rad in others_rad.items():
            if self._whole.existJointName(name):
                at[self._whole.joints[self._whole.getJointId(name)].idx_q] = angle_rad
        self._model = pin.buildReducedModel(self._whole, self._locked, at)
        self._data = self._model.createData()

    def forward(self, q_rad: Sequence[float] | Vector) -> Vector:
        """Return the 4x4 pose of the tool in the base frame at the joint angles."""
        pin.framesForwardKinematics(self._model, self._data, np.asarray(q_rad, float))
        base, tool = self._data.oMf[self._base], self._data.oMf[self._tool]
        return np.asarray(base.actInv(tool).homogeneous)

    def solve(
        self,
        T_base_tool: NDArray[np.floating[Any]],
        start_rad: Sequence[float] | Vector,
        *,
        position_only: bool = False,
    ) -> Vector:
        """Return joint angles within their limits that bring the tool to a pose.

        The start comes first, so that a near pose has a near solution; random starts follow.

        Raises:
            RoboReferError: OUT_OF_WORKSPACE when no start leads there.
        """
        rng = np.random.default_rng(self._options.seed)
        start = np.clip(np.asarray(start_rad, float), self.lower_rad, self.upper_rad)
        for _ in range(1 + self._options.restarts):
            found = self._descend(np.asarray(T_base_tool, float), start, position_only)
            if found is not None:
                return found
            start = rng.uniform(self.lower_rad, self.upper_rad)
        shown = ", ".join(f"{value:.3f}" for value in T_base_tool[:3, 3])
        raise RoboReferError(
            ErrorCode.OUT_OF_WORKSPACE,
            f"The arm cannot bring its tool to ({shown}) m.",
            "Move the target nearer, or approach it from another side.",
        )

    def _descend(self, goal: Vector, start: Vector, position_only: bool) -> Vector | None:
        q = start.copy()
        T_world_base = self._base_pose(q)
        target = pin.SE3(T_world_base @ goal)
        for _ in range(self._options.iterations):
            pin.computeJointJacobians(self._model, self._data, q)
            tool = pin.updateFramePlacement(self._model, self._data, self._tool)
            error = np.asarray(pin.log6(tool.actInv(target)).vector)
            jacobian = pin.getFrameJacobian(
                self._model, self._data, self._tool, pin.ReferenceFrame.LOCAL
            )
            if position_only:
                error = tool.rotation.T @ (target.translation - tool.translation)
                jacobian = jacobian[:3]
            if self._is_there(error, position_only):
                return q
            gram = jacobian @ jacobian.T + self._options.damping * np.eye(len(error))
            q = np.clip(
                q + jacobian.T @ np.linalg.solve(gram, error), self.lower_rad, self.upper_rad
            )
        return None

    def _is_there(self, error: Vector, position_only: bool) -> bool:
        near = bool(np.linalg.norm(error[:3]) < self._options.position_tol_m)
        turned = position_only or np.linalg.norm(error[3:]) < self._options.rotation_tol_rad
        return near and bool(turned)

    def _base_pose(self, q: Vector) -> Vector:
        pin.framesForwardKinematics(self._model, self._data, q)
        return np.asarray(self._data.oMf[self._base].homogeneous)


def _read_model(urdf: Path, joints: Sequence[str], frames: Sequence[str]) -> Any:
    try:
        model = pin.buildModelFromUrdf(str(urdf))
    except (ValueError, RuntimeError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{urdf} cannot be read as a URDF: {' '.join(str(error).split())}.",
            "Give the path of the robot's description.",
        ) from error
    missing = [name for name in joints if not model.existJointName(name)]
    missing += [name for name in frames if not model.existFrame(name)]
    if missing:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{urdf} has no joint or link named {', '.join(missing)}.",
            "Name the joints and links of this robot.",
        )
    return model
