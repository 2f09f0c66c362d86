"""What can be said when an adapter is started: for its launch file and for `robo-refer ros`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from robo_refer_ros.commands.launch_options import NodeSetup

from robo_refer.errors import ErrorCode, RoboReferError


@dataclass(frozen=True)
class AdapterOptions:
    """What both adapters have in common."""

    dry_run: Annotated[bool, tyro.conf.arg(help="plan and report, but move nothing")] = True
    urdf: Annotated[
        str, tyro.conf.arg(help="file with the robot's description; empty: /robot_description")
    ] = ""
    params_file: Annotated[str, tyro.conf.arg(help="YAML with further parameters")] = ""
    namespace: Annotated[str, tyro.conf.arg(help="namespace of the node")] = ""
    use_sim_time: Annotated[bool, tyro.conf.arg(help="take the time from /clock")] = False
    log_level: Annotated[
        Literal["debug", "info", "warn", "error"], tyro.conf.arg(help="what is logged")
    ] = "info"

    def parameters(self) -> dict[str, Any]:
        """Return the parameters that they set."""
        found: dict[str, Any] = {"dry_run": self.dry_run}
        if self.urdf:
            found["urdf"] = str(Path(self.urdf).absolute())
        if self.use_sim_time:
            found["use_sim_time"] = True
        return found


@dataclass(frozen=True)
class Ur5Options(AdapterOptions):
    """Start the adapter of UR5 and UR5e; it only plans, unless dry_run is false."""

    controller: Annotated[
        str, tyro.conf.arg(help="follows joint trajectories; empty: that of the distribution")
    ] = ""
    mock_hardware: Annotated[
        bool, tyro.conf.arg(help="the driver has no robot: no program has to play")
    ] = False

    def parameters(self) -> dict[str, Any]:
        """See `AdapterOptions.parameters`."""
        found = super().parameters()
        if self.controller:
            found["controller"] = self.controller
        if self.mock_hardware:
            found["program_topic"] = ""
        return found


@dataclass(frozen=True)
class G1Options(AdapterOptions):
    """Start the adapter of Unitree's G1; it only plans, unless dry_run is false."""

    side: Annotated[Literal["right", "left"], tyro.conf.arg(help="which arm")] = "right"

    def parameters(self) -> dict[str, Any]:
        """See `AdapterOptions.parameters`."""
        return {**super().parameters(), "side": self.side}


def adapter_setup(options: AdapterOptions) -> NodeSetup:
    """Return how an adapter is to be started.

    Raises:
        RoboReferError: BAD_FILE when the parameter file does not exist.
    """
    files = []
    if options.params_file:
        path = Path(options.params_file).absolute()
        if not path.is_file():
            raise RoboReferError(
                ErrorCode.BAD_FILE, f"There is no file {path}.", "Correct params_file."
            )
        files.append(path)
    return NodeSetup(options.namespace, files, options.parameters(), [], options.log_level, {})
