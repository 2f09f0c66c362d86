"""`robo-refer ros`: starts the ROS 2 node and the robots' adapters, asks them, replays bags.

Nothing here imports ROS. It may live in another Python (`make ros` builds one in .venv-ros): the
command becomes a module of `robo_refer_ros` there.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError

MODULES = {
    "run": "robo_refer_ros.commands.start",
    "demo": "robo_refer_ros.commands.demo",
    "ask": "robo_refer_ros.commands.ask",
    "speed": "robo_refer_ros.commands.speed",
    "ur5": "robo_refer_robots.commands.start_ur5",
    "g1": "robo_refer_robots.commands.start_g1",
    "reach": "robo_refer_robots.commands.reach",
}
USAGE = """\
robo-refer ros: the ROS 2 node of RoboRefer.

usage: robo-refer ros <command> [options]     (robo-refer ros <command> --help says more)

commands:
  run     start the node: what `ros2 launch robo_refer_bringup refer.launch.py` does
  demo    show the node a recorded scene and ask it where something is
  ask     ask the running node where something is
  speed   measure the node: latency, lifting, endurance
  ur5     start the adapter of UR5 and UR5e (plans only, unless told to move)
  g1      start the adapter of Unitree's G1 (the same)
  reach   ask the running node where something is, and an adapter to reach for it
  replay  answer an instruction about a recorded bag; needs no ROS

example:
  robo-refer ros run --camera realsense --target-frame base_link
"""
_ACTIVATE_AND_RUN = '. "$0" && exec python -m "$@"'


def main(argv: list[str]) -> None:
    """Run `robo-refer ros` with the arguments after its name.

    Raises:
        RoboReferError: BAD_REQUEST for an unknown command, MISSING_DEPENDENCY without ROS 2.
    """
    if not argv or argv[0] in {"-h", "--help"}:
        print(USAGE, end="")
        return
    if argv[0] == "replay":
        from robo_refer.cli import replay

        replay.main(argv[1:])
        return
    if argv[0] not in MODULES:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no command {argv[0]!r} of 'robo-refer ros'.",
            f"Use one of: {', '.join(MODULES)}, replay.",
        )
    command = ros_command([MODULES[argv[0]], *argv[1:]])
    sys.stdout.flush()
    os.execv(command[0], command)


def ros_command(module_and_arguments: list[str]) -> list[str]:
    """Return the command line that runs a module where ROS 2 is.

    That is this Python, if ROS 2 is sourced; else the workspace that `make ros` has built, looked
    for in the current folder and in the checkout that this package comes from.

    Raises:
        RoboReferError: MISSING_DEPENDENCY when there is none.
    """
    if find_spec("rclpy") is not None and find_spec("robo_refer_ros") is not None:
        return [sys.executable, "-m", *module_and_arguments]
    for folder in (Path.cwd(), Path(__file__).resolve().parents[2]):
        activate = folder / "ros2_ws" / "activate"
        if activate.is_file() and (folder / ".venv-ros" / ".built").is_file():
            return ["/bin/bash", "-c", _ACTIVATE_AND_RUN, str(activate), *module_and_arguments]
    raise RoboReferError(
        ErrorCode.MISSING_DEPENDENCY,
        "ROS 2 with the packages of RoboRefer is not found.",
        "Source your workspace, or run 'make ros' in a checkout (see docs/ros2.md).",
    )
