"""Starts the node: ros2 launch robo_refer_bringup refer.launch.py camera:=realsense."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    OpaqueFunction,
    SetEnvironmentVariable,
)
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from robo_refer_ros.commands.launch_options import arguments, node_setup, options_from

SHARE = Path(get_package_share_directory("robo_refer_bringup"))


def generate_launch_description() -> LaunchDescription:
    """Return the arguments, the node, and RViz if it is wanted."""
    declared = [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.doc,
            choices=list(argument.choices) or None,
        )
        for argument in arguments()
    ]
    rviz = DeclareLaunchArgument(
        "rviz", default_value="false", description="start RViz", choices=["true", "false"]
    )
    viewer = ExecuteProcess(
        cmd=["rviz2", "-d", str(SHARE / "rviz" / "refer.rviz")],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    return LaunchDescription([*declared, rviz, OpaqueFunction(function=start_node), viewer])


def start_node(context: LaunchContext) -> list[object]:
    """Return the node with what the arguments say."""
    values = {
        argument.name: LaunchConfiguration(argument.name).perform(context)
        for argument in arguments()
    }
    setup = node_setup(options_from(values), SHARE)
    return [
        *[SetEnvironmentVariable(name, value) for name, value in setup.environment.items()],
        Node(
            package="robo_refer_ros",
            executable="refer_node",
            namespace=setup.namespace,
            parameters=[*map(str, setup.parameter_files), setup.parameters],
            remappings=setup.remappings,
            ros_arguments=["--log-level", setup.log_level],
            output="screen",
        ),
    ]
