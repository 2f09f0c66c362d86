"""What the launch files of both adapters share; needs `launch`."""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from robo_refer_ros.commands.launch_options import arguments, options_from

from robo_refer_robots.commands.launch_options import AdapterOptions, adapter_setup


def describe(kind: type[AdapterOptions], robot: str) -> LaunchDescription:
    """Return the launch description of a robot's adapter.

    Args:
        kind: its options, which become the launch arguments.
        robot: name of its executable.
    """

    def start(context: LaunchContext) -> list[object]:
        return [adapter_node(context, kind, robot)]

    declared = [
        DeclareLaunchArgument(
            each.name,
            default_value=each.default,
            description=each.doc,
            choices=list(each.choices) or None,
        )
        for each in arguments(kind)
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=start)])


def adapter_node(context: LaunchContext, kind: type[AdapterOptions], robot: str) -> Node:
    """Return the adapter with what the launch arguments say."""
    values = {
        each.name: LaunchConfiguration(each.name).perform(context) for each in arguments(kind)
    }
    setup = adapter_setup(options_from(values, kind))
    return Node(
        package="robo_refer_robots",
        executable=robot,
        namespace=setup.namespace,
        parameters=[*map(str, setup.parameter_files), setup.parameters],
        ros_arguments=["--log-level", setup.log_level],
        output="screen",
    )
