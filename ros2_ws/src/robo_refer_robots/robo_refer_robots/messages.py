"""Plans as the messages that controllers and the Reach action speak."""

from __future__ import annotations

import numpy as np
import pinocchio as pin
from geometry_msgs.msg import Point, PoseStamped, Quaternion
from robo_refer_msgs.msg import ReferTarget
from robo_refer_ros.messages import duration
from robo_refer_ros.transforms.source import TransformSource
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from robo_refer.geometry import DEPTH_STATUSES, transform_points
from robo_refer.robots.path import JointPath, Matrix
from robo_refer.robots.target import Target

_TF_TIMEOUT_S = 0.5


def target_of(message: ReferTarget, base_frame: str, transforms: TransformSource) -> Target:
    """Return a referred point in the robot's base frame, as it was at the capture's time.

    Raises:
        RoboReferError: TF_ERROR.
    """
    stamp = message.header.stamp
    stamp_ns = stamp.sec * 1_000_000_000 + stamp.nanosec
    position = np.array([message.position.x, message.position.y, message.position.z])
    if message.header.frame_id != base_frame:
        T_base_target = transforms.lookup(
            base_frame, message.header.frame_id, stamp_ns, _TF_TIMEOUT_S
        )
        position = transform_points(T_base_target, position)
    x, y, z = (float(value) for value in position)
    known = message.depth_status < len(DEPTH_STATUSES)
    status = DEPTH_STATUSES[message.depth_status] if known else "none"
    return Target((x, y, z), status, stamp_ns / 1e9, base_frame)


def trajectory(path: JointPath) -> JointTrajectory:
    """Return a path; its stamp is zero, which means: start at once."""
    return JointTrajectory(
        joint_names=list(path.joints),
        points=[
            JointTrajectoryPoint(
                positions=positions, velocities=velocities, time_from_start=duration(time_s)
            )
            for time_s, positions, velocities in zip(
                path.times_s.tolist(),
                path.positions_rad.tolist(),
                path.velocities_rad_s.tolist(),
                strict=True,
            )
        ],
    )


def pose(T_base_tool: Matrix, base_frame: str) -> PoseStamped:
    """Return a 4x4 pose in the base frame; its stamp is zero, which means: whenever."""
    px, py, pz, x, y, z, w = pin.SE3ToXYZQUAT(pin.SE3(T_base_tool)).tolist()
    message = PoseStamped()
    message.header.frame_id = base_frame
    message.pose.position = Point(x=px, y=py, z=pz)
    message.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    return message
