"""The adapter of UR5 and UR5e: ros2 launch robo_refer_bringup ur5.launch.py."""

from __future__ import annotations

from launch import LaunchDescription
from robo_refer_robots.commands.launch_options import Ur5Options
from robo_refer_robots.commands.launching import describe


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the adapter."""
    return describe(Ur5Options, "ur5")
