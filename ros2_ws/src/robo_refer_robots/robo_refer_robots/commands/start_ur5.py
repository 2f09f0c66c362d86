"""`robo-refer ros ur5`: what `ur5.launch.py` does, where there is no `ros2 launch`."""

from __future__ import annotations

import sys

from robo_refer.cli.main import run_command
from robo_refer_robots.commands.launch_options import Ur5Options
from robo_refer_robots.commands.start import start


def main(argv: list[str]) -> None:
    """Become the adapter."""
    start(Ur5Options, "ur5", argv)


if __name__ == "__main__":
    run_command(main, sys.argv[1:])
