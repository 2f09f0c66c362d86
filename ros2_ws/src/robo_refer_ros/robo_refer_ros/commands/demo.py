"""`robo-refer ros demo`: what `demo.launch.py` does, where there is no `ros2 launch`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tyro

from robo_refer.cli.main import run_command
from robo_refer_ros.commands import ask
from robo_refer_ros.commands.bringup import bringup_share
from robo_refer_ros.commands.launch_options import LaunchOptions, NodeSetup, node_setup
from robo_refer_ros.commands.scene_publisher import load_scene

INSTRUCTION = "the toy elephant"
_STOP_S = 60.0


@dataclass(frozen=True)
class DemoOptions:
    """Show the node a recorded scene, and ask it where something is."""

    instruction: tyro.conf.Positional[str] = INSTRUCTION
    """What to point at."""

    scene: str = ""
    """Folder with color.png, depth.png and camera.json; empty is the scene that comes along."""


def main(argv: list[str]) -> None:
    """Start the scene and the node, ask, print the answer, and stop both."""
    options = tyro.cli(DemoOptions, args=argv, prog="robo-refer ros demo")
    setup = node_setup(LaunchOptions(), bringup_share())
    os.environ.update(setup.environment)
    scene = Path(options.scene).absolute() if options.scene else bringup_share() / "scene"
    load_scene(scene)  # what is wrong with it is said here, and at once
    shown = NodeSetup("", [], {"scene": str(scene)}, [], "info", {}).ros_arguments()
    with (
        running("robo_refer_ros.commands.scene_publisher", shown),
        running("robo_refer_ros", setup.ros_arguments()),
    ):
        ask.main([options.instruction])


@contextmanager
def running(module: str, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of ours for a `with` block."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments])
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
