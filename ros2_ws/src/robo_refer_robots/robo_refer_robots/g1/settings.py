"""Parameters of the G1 adapter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robo_refer_ros.settings import parameter

from robo_refer.robots.g1 import REACH, StreamOptions
from robo_refer_robots.settings import AdapterSettings, ReachSpace

_STREAM = StreamOptions()


@dataclass(frozen=True)
class G1ReachSpace(ReachSpace):
    """The box around a standing G1's pelvis."""

    min: tuple[float, ...] = parameter(
        REACH.workspace_min_m, "lower corner x, y, z in the pelvis frame, metres", live=True
    )
    max: tuple[float, ...] = parameter(
        REACH.workspace_max_m, "upper corner x, y, z in the pelvis frame, metres", live=True
    )


@dataclass(frozen=True)
class StreamSettings:
    """How commands are streamed (robo_refer.robots.g1.StreamOptions)."""

    ramp_s: float = parameter(_STREAM.ramp_s, "seconds to blend in, and out again", at_least=0.1)
    hold_s: float = parameter(_STREAM.hold_s, "seconds at the target", at_least=0.0)
    kp: float = parameter(_STREAM.kp, "stiffness of the motors of arms and waist", at_least=0.0)
    kd: float = parameter(_STREAM.kd, "damping of the motors of arms and waist", at_least=0.0)
    speed: float = parameter(
        _STREAM.speed, "share of the joints' speed limits, (0, 1]", at_least=0.001
    )


@dataclass(frozen=True)
class G1Settings(AdapterSettings):
    """All parameters of the node."""

    side: Literal["left", "right"] = parameter("right", "which arm")
    base_frame: str = parameter("pelvis", "link that targets and poses are given in")
    workspace: G1ReachSpace = G1ReachSpace()
    stream: StreamSettings = StreamSettings()
    arrived_rad: float = parameter(
        0.2, "largest error of a joint at the target that counts as arrived", at_least=0.0
    )

    def stream_options(self) -> StreamOptions:
        """Return how commands are streamed."""
        stream = self.stream
        return StreamOptions(stream.ramp_s, stream.hold_s, stream.kp, stream.kd, stream.speed)
