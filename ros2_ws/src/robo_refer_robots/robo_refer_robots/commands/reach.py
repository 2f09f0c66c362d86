"""Asks the node where something is, and an adapter to reach for it: `robo-refer ros reach`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import tyro
from rclpy.utilities import remove_ros_args
from robo_refer_ros.client import ReferClient
from robo_refer_ros.commands.ask import report

from robo_refer.cli.main import run_command
from robo_refer_robots.client import ReachClient


@dataclass(frozen=True)
class ReachOptions:
    """Ask the running node where something is, and an adapter to reach for it."""

    instruction: tyro.conf.Positional[str]
    """What to reach for, for example "the red mug"."""

    robot: str = "/ur5"
    """Full name of the adapter: /ur5 or /g1."""

    server: str = "/refer"
    """Full name of the node that answers."""

    wait_s: float = 60.0
    """Seconds to wait for the node, and for its answer; twice as many for the robot."""


def main(argv: list[str]) -> None:
    """Ask, reach, and print both."""
    options = tyro.cli(ReachOptions, args=argv, prog="robo-refer ros reach")
    with ReferClient(options.server) as client, ReachClient(options.robot) as robot:
        client.wait_until_ready(options.wait_s)
        found = client.refer(options.instruction, options.wait_s)
        print(report(found), flush=True)
        done = robot.reach(found.targets[0], 2 * options.wait_s, on_stage=_show)
    points = done.reach_path.points
    took = points[-1].time_from_start
    planned = f"{len(points)} points, {took.sec + took.nanosec / 1e9:.1f} s"
    print(f"  reach    {planned}{'' if done.moved else '; dry_run: the robot did not move'}")


def command() -> None:
    """Run it as an executable of the package."""
    run_command(main, remove_ros_args(sys.argv)[1:])


def _show(stage: str) -> None:
    print(f"  {stage} ...", file=sys.stderr)


if __name__ == "__main__":
    command()
