"""`robo-refer ros run`: what `refer.launch.py` does, where there is no `ros2 launch`."""

from __future__ import annotations

import os
import sys

import tyro

from robo_refer.cli.main import run_command
from robo_refer_ros.commands.bringup import bringup_share
from robo_refer_ros.commands.launch_options import LaunchOptions, node_setup


def main(argv: list[str]) -> None:
    """Become the node."""
    options = tyro.cli(
        LaunchOptions,
        args=argv,
        prog="robo-refer ros run",
        description=LaunchOptions.__doc__,
        config=(tyro.conf.FlagConversionOff,),
    )
    setup = node_setup(options, bringup_share())
    command = [sys.executable, "-m", "robo_refer_ros", *setup.ros_arguments()]
    os.execve(sys.executable, command, {**os.environ, **setup.environment})


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
