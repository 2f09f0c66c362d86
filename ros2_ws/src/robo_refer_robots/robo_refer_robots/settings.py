"""What both robots' adapters can be told, as parameters of their nodes."""

from __future__ import annotations

from dataclasses import dataclass

from robo_refer_ros.settings import WorkspaceSettings, parameter

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.target import GuardOptions

_GUARD = GuardOptions()


@dataclass(frozen=True)
class ReachSpace(WorkspaceSettings):
    """The box in the base frame that a target must lie in."""

    min: tuple[float, ...] = parameter(
        _GUARD.workspace_min_m, "lower corner x, y, z in the base frame, metres", live=True
    )
    max: tuple[float, ...] = parameter(
        _GUARD.workspace_max_m, "upper corner x, y, z in the base frame, metres", live=True
    )


@dataclass(frozen=True)
class AdapterSettings:
    """When an adapter moves, and where its robot's description is."""

    dry_run: bool = parameter(True, "plan and report, but move nothing", live=True)
    urdf: str = parameter("", "file with the robot's description; empty: topic /robot_description")
    base_frame: str = parameter("base_link", "link that targets and poses are given in")
    max_age_s: float = parameter(
        _GUARD.max_age_s, "oldest target that is reached for, seconds", at_least=0.0, live=True
    )
    allow_ambiguous: bool = parameter(
        False, "reach also for targets on a depth edge (DEPTH_AMBIGUOUS)", live=True
    )
    workspace: ReachSpace = ReachSpace()
    slack_s: float = parameter(
        5.0, "how much longer than planned a motion may take, seconds", at_least=0.0
    )

    def __post_init__(self) -> None:
        self.guard()

    def guard(self) -> GuardOptions:
        """Return which targets may be reached for.

        Raises:
            RoboReferError: BAD_REQUEST for no box, an empty one, or an age that none is below.
        """
        low, high = self.workspace.min, self.workspace.max
        if len(low) != 3 or len(high) != 3:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "workspace.min and workspace.max need three numbers each.",
                "Correct the parameters.",
            )
        return GuardOptions(
            (low[0], low[1], low[2]),
            (high[0], high[1], high[2]),
            self.max_age_s,
            self.allow_ambiguous,
        )
