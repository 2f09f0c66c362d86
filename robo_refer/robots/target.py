"""What a robot is asked to reach, and whether it may be reached for at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import DepthStatus

SAFE_DEPTH: frozenset[DepthStatus] = frozenset({"ok", "hole_filled"})
_CLOCK_TOLERANCE_S = 0.1


@dataclass(frozen=True)
class Target:
    """One referred point in the robot's base frame.

    Attributes:
        position_m: (x, y, z) in the base frame, metres.
        depth_status: how its depth was obtained.
        stamp_s: capture time of the image that it was seen in, the robot's clock.
        frame: name of the base frame.
    """

    position_m: tuple[float, float, float]
    depth_status: DepthStatus
    stamp_s: float
    frame: str = "base_link"


@dataclass(frozen=True)
class GuardOptions:
    """Where and when a robot may move to a target.

    Attributes:
        workspace_min_m, workspace_max_m: corners of the box in the base frame that the target must
            lie in, metres.
        max_age_s: seconds after the capture that a target may be used.
        allow_ambiguous: move also where the pixel lies on a depth edge.
    """

    workspace_min_m: tuple[float, float, float] = (-0.9, -0.9, -0.1)
    workspace_max_m: tuple[float, float, float] = (0.9, 0.9, 1.0)
    max_age_s: float = 2.0
    allow_ambiguous: bool = False

    def __post_init__(self) -> None:
        if not np.all(np.less(self.workspace_min_m, self.workspace_max_m)) or self.max_age_s <= 0:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "The workspace box is empty, or no target is young enough for max_age_s.",
                "Give corners with min < max on all three axes, and a positive age.",
            )


def check_target(target: Target, now_s: float, options: GuardOptions, base_frame: str) -> None:
    """Return when a robot may move to the target.

    Args:
        target: what is reached for.
        now_s: the time, on the clock of the target's stamp.
        options: where and when it may move.
        base_frame: the frame that the robot plans in.

    Raises:
        RoboReferError: TF_ERROR when the target is given in another frame, NO_DEPTH when its depth
            is not good, STALE_IMAGE when it is too old (or from the future), OUT_OF_WORKSPACE when
            it lies outside the box or is not finite.
    """
    if target.frame != base_frame:
        raise RoboReferError(
            ErrorCode.TF_ERROR,
            f"The robot does not move: the target is given in '{target.frame}', and it plans in "
            f"'{base_frame}'.",
            "Transform the target into the robot's base frame first.",
        )
    safe = SAFE_DEPTH | ({"ambiguous"} if options.allow_ambiguous else set())
    if target.depth_status not in safe:
        raise RoboReferError(
            ErrorCode.NO_DEPTH,
            f"The robot does not move: the target's depth is '{target.depth_status}'.",
            "Look again from where the sensor measures the target.",
        )
    age_s = now_s - target.stamp_s
    if not -_CLOCK_TOLERANCE_S <= age_s <= options.max_age_s:
        raise RoboReferError(
            ErrorCode.STALE_IMAGE,
            f"The robot does not move: the target was seen {age_s:.2f} s ago; "
            f"the limit is {options.max_age_s:g} s.",
            "Ask again, or raise max_age_s where nothing moves.",
        )
    low, high = options.workspace_min_m, options.workspace_max_m
    inside = [a <= value <= b for value, a, b in zip(target.position_m, low, high, strict=True)]
    if not all(inside):  # also where a coordinate is NaN
        shown = ", ".join(f"{value:.3f}" for value in target.position_m)
        raise RoboReferError(
            ErrorCode.OUT_OF_WORKSPACE,
            f"The robot does not move: ({shown}) m in {target.frame} lies outside its workspace.",
            "Check the camera's calibration, or widen the workspace.",
        )
