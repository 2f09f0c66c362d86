"""The adapter of Unitree's G1: ros2 launch robo_refer_bringup g1.launch.py."""

from __future__ import annotations

from launch import LaunchDescription
from robo_refer_robots.commands.launch_options import G1Options
from robo_refer_robots.commands.launching import describe


def generate_launch_description() -> LaunchDescription:
    """Return the arguments and the adapter."""
    return describe(G1Options, "g1")
