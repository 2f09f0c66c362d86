"""The depth of one pixel, measured in a window around it, from a sensor with noise and holes.

A single depth pixel lies: it may be a hole, a stray value, or a mix of two surfaces at an edge.
So its neighbours vote, but only those on the pixel's own surface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import DepthStatus, FloatArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

# A pixel is clear of an edge when its surface fills this share of the window, or of the 3x3 (for
# things as thin as a pen). One pixel from a straight edge has 5/7 of the window; at it, 4/7.
_CLEAR_WINDOW = 0.6
_CLEAR_NEAR = 0.75
# A gap three pixels wide, with the far background in it, is 3/7 of the window.
_BEYOND_WINDOW = 0.4
_NEAR_PIXELS = 9
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class LiftOptions:
    """How a pixel's depth is measured.

    Attributes:
        window_px: side of the window, odd, at least 3.
        min_m, max_m: range of depths that the camera measures well. The default reaches across a
            room; for an arm that grasps, 4 m is wiser.
        min_support: least share of valid pixels in the window. Below it, a window of twice the
            size is tried once.
        edge_gap_m: depths farther apart than this are different surfaces (where noise is larger,
            twice the noise).
        pixel_sigma_px: uncertainty of the pixel itself, one standard deviation, for the
            covariance.
    """

    window_px: int = 7
    min_m: float = 0.1
    max_m: float = 10.0
    min_support: float = 0.3
    edge_gap_m: float = 0.05
    pixel_sigma_px: float = 1.0

    def __post_init__(self) -> None:
        if self.window_px < 3 or self.window_px % 2 == 0:
            problem = f"window_px must be odd and at least 3, got {self.window_px}"
        elif not 0 < self.min_m < self.max_m:
            problem = f"depth range {self.min_m}..{self.max_m} m is empty or not positive"
        elif not 0 < self.min_support <= 1:
            problem = f"min_support must lie in (0, 1], got {self.min_support}"
        elif not (self.edge_gap_m > 0 and self.pixel_sigma_px >= 0):
            problem = "edge_gap_m must be positive and pixel_sigma_px not negative"
        else:
            return
        raise RoboReferError(ErrorCode.BAD_REQUEST, f"{problem}.", "Correct the depth options.")


@dataclass(frozen=True)
class DepthMeasurement:
    """What the window says about the pixel.

    Attributes:
        status: how it was obtained; "none" and "out_of_range" have no depth.
        depth_m: z in metres, or None.
        sigma_m: its standard deviation in metres, or None.
        support: share of valid pixels in the window that was used, 0..1.
    """

    status: DepthStatus
    depth_m: float | None
    sigma_m: float | None
    support: float


def depth_noise_m(z_m: float) -> float:
    """Return the noise floor of a structured-light or active-stereo camera at depth z, metres.

    Nguyen, Izadi, Lovell: "Modeling Kinect Sensor Noise", 3DIMPVT 2012 (axial noise).
    """
    return 0.0012 + 0.0019 * (z_m - 0.4) ** 2


def measure_depth(depth_m: FloatArray, u: int, v: int, options: LiftOptions) -> DepthMeasurement:
    """Measure the depth of pixel (u, v) of a (height, width) depth image in metres.

    Not measured are 0, NaN and infinities (REP-117, REP-118); nothing but `min_m <= z <= max_m`
    counts as valid. A valid pixel speaks for the surface that it lies on ("ok"); a hole is filled
    from its nearest neighbours ("hole_filled"). Where the pixel cannot tell between two surfaces
    the likelier one is given, marked "ambiguous", with an uncertainty that spans both.
    """
    radius = options.window_px // 2
    window = _Window(depth_m, u, v, radius, options)
    if window.support < options.min_support:
        window = _Window(depth_m, u, v, 2 * radius + 1, options)
    beyond = window.beyond.mean()
    if window.centre_is_beyond or (window.support < options.min_support <= beyond):
        return DepthMeasurement("out_of_range", None, None, window.support)
    if window.support < options.min_support:
        return DepthMeasurement("none", None, None, window.support)
    return _own_surface(window) or _filled(window)


class _Window:
    """The pixels around one, as flat arrays, cut off at the image border."""

    def __init__(
        self, depth_m: FloatArray, u: int, v: int, radius: int, options: LiftOptions
    ) -> None:
        height, width = depth_m.shape
        rows = np.arange(max(v - radius, 0), min(v + radius + 1, height))
        columns = np.arange(max(u - radius, 0), min(u + radius + 1, width))
        z = depth_m[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        self.z: Array = np.asarray(z, dtype=np.float64).ravel()
        offset_v, offset_u = np.meshgrid(rows - v, columns - u, indexing="ij")
        self.distance: Array = np.hypot(offset_v, offset_u).ravel()
        self.near: Mask = self.distance < 1.5
        self.centre = int(self.distance.argmin())
        self.valid: Mask = (self.z >= options.min_m) & (self.z <= options.max_m)
        # Measured, but not within the range: an infinity says so too (REP-117).
        self.beyond: Mask = ~self.valid & ~np.isnan(self.z) & (self.z != 0)
        self._edge_gap_m = options.edge_gap_m

    @property
    def support(self) -> float:
        return float(self.valid.mean())

    @property
    def centre_is_beyond(self) -> bool:
        """The pixel looks past the range, and is not just one stray value."""
        near = int((self.beyond & self.near).sum()) > int((self.valid & self.near).sum())
        around = float(self.beyond.mean()) >= _BEYOND_WINDOW
        return bool(self.beyond[self.centre]) and near and around

    def surface(self, z_m: float) -> Mask:
        """Return which valid pixels lie on the same surface as a depth."""
        gap = max(self._edge_gap_m, 2 * depth_noise_m(z_m))
        return self.valid & (np.abs(np.where(self.valid, self.z, np.inf) - z_m) <= gap)


def _own_surface(window: _Window) -> DepthMeasurement | None:
    """Measure the surface of a valid pixel; None where it has no depth or stands quite alone."""
    if not window.valid[window.centre]:
        return None
    around = window.surface(float(window.z[window.centre])) & window.near
    if around.sum() < 2:  # itself only: a stray value
        return None
    # The middle of the nearest pixels is the surface's depth, also where one pixel is a mix.
    own = window.surface(float(np.median(window.z[around])))
    in_window = own.sum() / window.valid.sum()
    nearby = (own & window.near).sum() / (window.valid & window.near).sum()
    clear = in_window >= _CLEAR_WINDOW or nearby >= _CLEAR_NEAR
    return _result("ok" if clear else "ambiguous", window, own, own)


def _filled(window: _Window) -> DepthMeasurement:
    """Fill a hole from the valid pixels nearest to it."""
    candidates = np.flatnonzero(window.valid & (window.distance > 0))
    order = np.argsort(window.distance[candidates], kind="stable")
    nearest = candidates[order[:_NEAR_PIXELS]]
    middle = np.sort(window.z[nearest])[len(nearest) // 2]  # a measured value, never between two
    own = window.surface(float(middle))
    members = np.zeros_like(own)
    members[nearest] = own[nearest]
    clear = members.sum() / len(nearest) >= _CLEAR_NEAR
    return _result("hole_filled" if clear else "ambiguous", window, members, own)


def _result(status: DepthStatus, window: _Window, members: Mask, surface: Mask) -> DepthMeasurement:
    depth = float(np.median(window.z[members]))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(window.z[surface] - depth)))
    sigma = float(np.hypot(spread, depth_noise_m(depth)))
    others = window.valid & ~surface
    if status == "ambiguous" and others.any():
        sigma = max(sigma, abs(float(np.median(window.z[others])) - depth) / 2)
    return DepthMeasurement(status, depth, sigma, window.support)
