"""Parameters of the UR adapter."""

from __future__ import annotations

import os
from dataclasses import dataclass

from robo_refer_ros.settings import parameter

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.grasp import GraspOptions
from robo_refer.robots.ur5 import CONTROLLERS
from robo_refer_robots.settings import AdapterSettings

_SCALED = ("humble", "jazzy", "kilted")
_GRASP = GraspOptions()


def default_controller(distribution: str) -> str:
    """Return the controller that the UR driver of a ROS distribution starts."""
    return CONTROLLERS["jazzy" if distribution in _SCALED else "lyrical"]


@dataclass(frozen=True)
class GraspSettings:
    """How the tool comes to a target (robo_refer.robots.grasp.GraspOptions)."""

    approach: tuple[float, ...] = parameter(
        _GRASP.approach, "direction of the movement towards the target, base frame"
    )
    yaw_rad: float = parameter(_GRASP.yaw_rad, "turn of the tool about the approach")
    pregrasp_m: float = parameter(
        _GRASP.pregrasp_m, "where the straight approach begins, before the target", at_least=0.01
    )
    depth_m: float = parameter(_GRASP.depth_m, "how far beyond the surface point the tool goes")
    retreat_m: float = parameter(_GRASP.retreat_m, "height of the way up again", at_least=0.0)
    hold_s: float = parameter(
        0.5, "seconds at the target before the retreat, in which a gripper closes", at_least=0.0
    )


@dataclass(frozen=True)
class Ur5Settings(AdapterSettings):
    """All parameters of the node."""

    tool_frame: str = parameter("tool0", "link that is brought to the target")
    speed: float = parameter(0.2, "share of the joints' speed limits, (0, 1]", at_least=0.001)
    controller: str = parameter(
        default_controller(os.environ.get("ROS_DISTRO", "jazzy")),
        "controller that follows joint trajectories; the default is that of the ROS distribution",
    )
    program_topic: str = parameter(
        "/io_and_status_controller/robot_program_running",
        "tells whether the External Control program plays; empty: not checked (mock hardware)",
    )
    grasp: GraspSettings = GraspSettings()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.speed > 1.0 or len(self.grasp.approach) != 3:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "speed is above 1, or grasp.approach has not three numbers.",
                "Correct the parameters.",
            )

    def grasp_options(self) -> GraspOptions:
        """Return how the tool comes to a target."""
        grasp = self.grasp
        x, y, z = grasp.approach
        return GraspOptions(
            (x, y, z), grasp.yaw_rad, grasp.pregrasp_m, grasp.depth_m, grasp.retreat_m
        )
