"""Asks the node one thing and prints where it is: `ros2 run robo_refer_ros ask "the red mug"`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import tyro
from rclpy.utilities import remove_ros_args

from robo_refer.cli.main import run_command
from robo_refer_ros.client import Found, ReferClient


@dataclass(frozen=True)
class AskOptions:
    """Ask the running node where something is."""

    instruction: tyro.conf.Positional[str]
    """What to point at, for example "the red mug"."""

    server: str = "/refer"
    """Full name of the node."""

    target_frame: str = ""
    """Frame of the point; empty is the node's parameter."""

    wait_s: float = 60.0
    """Seconds to wait for the node, and for its answer."""


def main(argv: list[str]) -> None:
    """Ask, and print the answer."""
    options = tyro.cli(AskOptions, args=argv, prog="robo-refer ros ask")
    with ReferClient(options.server) as client:
        client.wait_until_ready(options.wait_s)
        found = client.refer(
            options.instruction,
            options.wait_s,
            target_frame=options.target_frame,
            on_stage=lambda stage: print(f"  {stage} ...", file=sys.stderr),
        )
    print(report(found))


def report(found: Found) -> str:
    """Return an answer as a few lines."""
    best = found.targets[0]
    lines = [f'"{found.message.instruction}"', f"  pixel    {best.u:.0f}, {best.v:.0f}"]
    if found.position_m is not None:
        metres = "  ".join(f"{value:7.3f}" for value in found.position_m)
        lines.append(f"  {found.header.frame_id}   {metres} m")
    took = found.message.inference_time
    lines.append(f"  model    {found.message.model_id}, {took.sec + took.nanosec / 1e9:.3f} s")
    return "\n".join(lines)


def command() -> None:
    """Run it as an executable of the package."""
    run_command(main, remove_ros_args(sys.argv)[1:])


if __name__ == "__main__":
    command()
