"""Starting an adapter where there is no `ros2 launch`."""

from __future__ import annotations

import os
import sys

import tyro

from robo_refer_robots.commands.launch_options import AdapterOptions, adapter_setup


def start(kind: type[AdapterOptions], robot: str, argv: list[str]) -> None:
    """Become the adapter of a robot.

    Args:
        kind: its options.
        robot: its name: of the command and of its package.
        argv: what was said.
    """
    options = tyro.cli(
        kind,
        args=argv,
        prog=f"robo-refer ros {robot}",
        description=kind.__doc__,
        config=(tyro.conf.FlagConversionOff,),
    )
    words = adapter_setup(options).ros_arguments()
    os.execv(sys.executable, [sys.executable, "-m", f"robo_refer_robots.{robot}.node", *words])
