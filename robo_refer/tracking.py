"""Following an answered point from frame to frame, until the next answer or until it is lost.

A vision-language model answers a few times a second; a controller wants the target at the camera's
rate. Corners on the target's own surface are followed by pyramidal Lucas-Kanade flow (Bouguet
2000, `cv2.calcOpticalFlowPyrLK`), there and back, and the point moves as they do. Depth is the
check: a target that is suddenly nearer is covered by something, one that is suddenly farther has
been taken away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import LiftOptions, lift_pixel
from robo_refer.types import Frame, ReferredPoint

LostReason = Literal["left_view", "too_few_features", "depth_jump", "no_depth", "too_old"]

_WINDOW_PX = 15
_FLOW: dict[str, Any] = {
    "winSize": (_WINDOW_PX, _WINDOW_PX),
    "maxLevel": 3,
    "criteria": (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 20, 0.03),
}
_THERE_AND_BACK_PX = 0.7
_RANSAC_PX = 1.5
_MOTION_PX = 64
"""How far a target may move between two frames: what lies farther is not looked at."""


@dataclass(frozen=True)
class TrackOptions:
    """When a target counts as followed, as moved, and as lost.

    Attributes:
        radius_px: corners are looked for this near the point.
        max_features, min_features: corners followed at most, and at least before the target is
            lost.
        surface_m: corners lie within this depth of the target's own.
        depth_jump_m: a change of depth between two frames that no target makes.
        no_depth_s: seconds without depth at the target before it is lost.
        replan_m: a way from the answered point, in the camera's frame, that asks for a new answer.
        max_age_s: seconds since the capture that was answered about before the target is lost.
    """

    radius_px: int = 36
    max_features: int = 40
    min_features: int = 6
    surface_m: float = 0.06
    depth_jump_m: float = 0.08
    no_depth_s: float = 1.0
    replan_m: float = 0.05
    max_age_s: float = 10.0


@dataclass(frozen=True)
class Tracked:
    """Where the target is in one frame.

    Attributes:
        point: pixel, depth and 3D point, lifted from this frame; of the last frame when lost.
        age_s: seconds since the capture that the answer was about.
        replan: whether it moved so far that a new answer should be asked for.
        lost: why it is not followed any more, or None.
    """

    point: ReferredPoint
    age_s: float
    replan: bool = False
    lost: LostReason | None = None


class TargetTracker:
    """Follows one point.

    Args:
        frame: the frame that was answered about; its stamp is the answer's age.
        point: the answered point, in that frame.
        options, lift: how it is followed, and how its depth is measured.

    Raises:
        RoboReferError: NO_DEPTH when the point has no depth: without it nothing could be checked.
    """

    def __init__(
        self,
        frame: Frame,
        point: ReferredPoint,
        options: TrackOptions | None = None,
        lift: LiftOptions | None = None,
    ) -> None:
        if point.depth_m is None:
            raise RoboReferError(
                ErrorCode.NO_DEPTH,
                "The point has no depth, so it cannot be followed.",
                "Ask again where the sensor measures the target.",
            )
        self._options, self._lift = options or TrackOptions(), lift or LiftOptions()
        self._answered, self._answered_s = point, frame.stamp_s
        self._last, self._last_depth_m, self._last_depth_s = point, point.depth_m, frame.stamp_s
        self._grey = _grey(frame)
        self._lost: LostReason | None = None
        self._corners = self._find_corners(frame)

    def step(self, frame: Frame) -> Tracked:
        """Return where the target is in a later frame of the same camera.

        A lost target stays lost: a new answer makes a new tracker.
        """
        age_s = frame.stamp_s - self._answered_s
        if self._lost is None and age_s > self._options.max_age_s:
            self._lost = "too_old"
        if self._lost is None:
            self._lost = self._follow(frame)
        return Tracked(self._last, age_s, self._has_moved(), self._lost)

    def _follow(self, frame: Frame) -> LostReason | None:
        grey = _grey(frame)
        if grey.shape != self._grey.shape:  # of another size, or turned: not the view that it was
            return "left_view"
        moved = _flow(self._grey, grey, self._corners, self._last.uv_px)
        self._grey = grey
        if moved is None or len(moved.corners) < self._options.min_features:
            return "too_few_features"
        u, v = moved.apply(self._last.uv_px)
        if not (0 <= u <= frame.width - 1 and 0 <= v <= frame.height - 1):
            return "left_view"
        self._corners = moved.corners
        reason = self._measure(frame, (u, v))
        if reason is None and len(self._corners) < self._options.max_features // 2:
            self._corners = self._find_corners(frame)
        return reason

    def _measure(self, frame: Frame, uv_px: tuple[float, float]) -> LostReason | None:
        depth_m = frame.depth_m if frame.depth_m is not None else np.zeros_like(self._grey, float)
        point = lift_pixel(depth_m, frame.camera, uv_px, self._lift)
        point = replace(point, score=self._answered.score)
        if point.depth_m is None:
            self._last = point
            silent_s = frame.stamp_s - self._last_depth_s
            return "no_depth" if silent_s > self._options.no_depth_s else None
        if abs(point.depth_m - self._last_depth_m) > self._options.depth_jump_m:
            return "depth_jump"
        self._last, self._last_depth_m, self._last_depth_s = point, point.depth_m, frame.stamp_s
        return None

    def _find_corners(self, frame: Frame) -> NDArray[np.float32]:
        """Return (n, 1, 2) corners, pixels, near the target and on its surface."""
        radius = self._options.radius_px
        u, v = (round(value) for value in self._last.uv_px)
        left, top = max(0, u - radius), max(0, v - radius)
        window = slice(top, v + radius + 1), slice(left, u + radius + 1)
        if frame.depth_m is None:
            masks = [np.ones_like(self._grey[window])]
        else:
            near = np.abs(frame.depth_m[window] - self._last_depth_m) < self._options.surface_m
            whole = near.astype(np.uint8)
            # At its border a target drags what stands still behind it into the flow.
            masks = [cv2.erode(whole, np.ones((_WINDOW_PX, _WINDOW_PX), np.uint8)), whole]
        for mask in masks:
            found = cv2.goodFeaturesToTrack(
                self._grey[window], self._options.max_features, 0.01, 3, mask=mask
            )
            if found is not None and len(found) >= self._options.min_features:
                return np.asarray(found + np.array([left, top], np.float32), np.float32)
        return np.zeros((0, 1, 2), np.float32)

    def _has_moved(self) -> bool:
        start, now = self._answered.p_cam_m, self._last.p_cam_m
        if start is None or now is None:
            return False
        return bool(np.linalg.norm(np.subtract(now, start)) > self._options.replan_m)


@dataclass(frozen=True)
class _Motion:
    """Corners that were found again, (n, 1, 2), and the (2, 3) similarity that moved them."""

    corners: NDArray[np.float32]
    matrix: NDArray[np.float64]

    def apply(self, uv_px: tuple[float, float]) -> tuple[float, float]:
        u, v = self.matrix @ (*uv_px, 1.0)
        return float(u), float(v)


def _grey(frame: Frame) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _flow(
    before: NDArray[np.uint8],
    after: NDArray[np.uint8],
    corners: NDArray[np.float32],
    around_px: tuple[float, float],
) -> _Motion | None:
    """Return how the corners moved, or None where too few agree; looks at a window only."""
    if len(corners) < 2:
        return None
    reach = _MOTION_PX + int(np.abs(corners[:, 0] - around_px).max()) + _WINDOW_PX
    left, top = (max(0, int(value) - reach) for value in around_px)
    right, bottom = (int(value) + reach for value in around_px)
    window = slice(top, bottom), slice(left, right)
    offset = np.array([left, top], np.float32)
    first, second = (np.ascontiguousarray(image[window]) for image in (before, after))
    start: Any = corners - offset
    there, found, _ = cv2.calcOpticalFlowPyrLK(first, second, start, None, **_FLOW)
    back, found_back, _ = cv2.calcOpticalFlowPyrLK(second, first, there, None, **_FLOW)
    error_px = np.linalg.norm(back - start, axis=2)[:, 0]
    good = (found[:, 0] > 0) & (found_back[:, 0] > 0) & (error_px < _THERE_AND_BACK_PX)
    if good.sum() < 2:
        return None
    matrix, agree = cv2.estimateAffinePartial2D(
        corners[good], there[good] + offset, ransacReprojThreshold=_RANSAC_PX
    )
    if matrix is None:
        return None
    return _Motion((there[good] + offset)[agree[:, 0] > 0], matrix)
