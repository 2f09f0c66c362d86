"""Shows the node a recorded scene and asks it: ros2 launch robo_refer_bringup demo.launch.py."""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    IncludeLaunchDescription,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from robo_refer_ros.commands.demo import INSTRUCTION

SHARE = Path(get_package_share_directory("robo_refer_bringup"))


def generate_launch_description() -> LaunchDescription:
    """Return the scene, the node and one question; when it is answered, all ends."""
    scene = LaunchConfiguration("scene")
    ask = Node(
        package="robo_refer_ros",
        executable="ask",
        arguments=[LaunchConfiguration("instruction")],
        output="screen",
    )
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "scene",
                default_value=str(SHARE / "scene"),
                description="folder with color.png, depth.png and camera.json",
            ),
            DeclareLaunchArgument(
                "instruction", default_value=INSTRUCTION, description="what is asked"
            ),
            Node(
                package="robo_refer_ros",
                executable="scene_publisher",
                parameters=[{"scene": scene}],
                output="screen",
            ),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(SHARE / "launch" / "refer.launch.py"))
            ),
            ask,
            RegisterEventHandler(
                OnProcessExit(target_action=ask, on_exit=[EmitEvent(event=Shutdown())])
            ),
        ]
    )
