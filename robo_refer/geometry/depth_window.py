"""The depth of pixels, measured in windows around them, from a sensor with noise and holes.

A single depth pixel lies: it may be a hole, a stray value, or a mix of two surfaces at an edge.
So its neighbours vote, but only those on the pixel's own surface.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import DepthStatus, FloatArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEPTH_STATUSES: tuple[DepthStatus, ...] = get_args(DepthStatus)
"""The words for a status; where many are kept, as places in this list."""
OK, NONE, HOLE_FILLED, OUT_OF_RANGE, AMBIGUOUS = (
    DEPTH_STATUSES.index(word)
    for word in ("ok", "none", "hole_filled", "out_of_range", "ambiguous")
)

# A pixel is clear of an edge when its surface fills this share of the window, or of the 3x3 (for
# things as thin as a pen). One pixel from a straight edge has 5/7 of the window; at it, 4/7.
_CLEAR_WINDOW = 0.6
_CLEAR_NEAR = 0.75
# A gap three pixels wide, with the far background in it, is 3/7 of the window.
_BEYOND_WINDOW = 0.4
_NEAR_PIXELS = 9
_MAD_TO_SIGMA = 1.4826
# Pixels measured at once: of each the whole window is looked at, up to 8 KiB of it.
_PIECE = 4096


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
class DepthMeasurements:
    """What the windows say about N pixels.

    Attributes:
        status: (N,) how each was obtained, as places in `DEPTH_STATUSES`; those of "none" and
            "out_of_range" have no depth.
        depth_m: (N,) z in metres, NaN where there is none.
        sigma_m: (N,) its standard deviation in metres, NaN where there is none.
        support: (N,) share of valid pixels in the window that was used, 0..1.
    """

    status: NDArray[np.uint8]
    depth_m: Array
    sigma_m: Array
    support: Array

    @classmethod
    def of_nothing(cls, count: int) -> DepthMeasurements:
        """Return `count` pixels that nothing is known about yet."""
        unknown = np.full(count, np.nan)
        return cls(np.full(count, NONE, np.uint8), unknown, unknown.copy(), np.zeros(count))

    def put(self, rows: NDArray[np.intp], measured: DepthMeasurements) -> None:
        """Overwrite some pixels."""
        for mine, theirs in (
            (self.status, measured.status),
            (self.depth_m, measured.depth_m),
            (self.sigma_m, measured.sigma_m),
            (self.support, measured.support),
        ):
            mine[rows] = theirs


def depth_noise_m(z_m: ArrayLike) -> Array:
    """Return the noise floor of a structured-light or active-stereo camera at depth z, metres.

    Nguyen, Izadi, Lovell: "Modeling Kinect Sensor Noise", 3DIMPVT 2012 (axial noise).
    """
    return 0.0012 + 0.0019 * (np.asarray(z_m) - 0.4) ** 2


def measure_depths(
    depth_m: FloatArray, uv_px: NDArray[np.integer[Any]], options: LiftOptions
) -> DepthMeasurements:
    """Measure the depth of pixels (N, 2), all in a (height, width) depth image in metres.

    Not measured are 0, NaN and infinities (REP-117, REP-118); nothing but `min_m <= z <= max_m`
    counts as valid. A valid pixel speaks for the surface that it lies on ("ok"); a hole is filled
    from its nearest neighbours ("hole_filled"). Where the pixel cannot tell between two surfaces
    the likelier one is given, marked "ambiguous", with an uncertainty that spans both.
    """
    measured = DepthMeasurements.of_nothing(len(uv_px))
    for start in range(0, len(uv_px), _PIECE):
        rows = np.arange(start, min(start + _PIECE, len(uv_px)))
        measured.put(rows, _measure_piece(depth_m, uv_px[rows], options))
    return measured


def _measure_piece(
    depth_m: FloatArray, uv_px: NDArray[np.integer[Any]], options: LiftOptions
) -> DepthMeasurements:
    radius = options.window_px // 2
    measured = _measure(_Windows(depth_m, uv_px, radius, options), options)
    sparse = np.flatnonzero(measured.support < options.min_support)
    if len(sparse):
        wider = _Windows(depth_m, uv_px[sparse], 2 * radius + 1, options)
        measured.put(sparse, _measure(wider, options))
    return measured


class _Windows:
    """The pixels around each of N, as (N, pixels) arrays, nearest first."""

    def __init__(
        self,
        depth_m: FloatArray,
        uv_px: NDArray[np.integer[Any]],
        radius: int,
        options: LiftOptions,
    ) -> None:
        height, width = depth_m.shape
        offsets = np.arange(-radius, radius + 1)
        dv, du = (part.ravel() for part in np.meshgrid(offsets, offsets, indexing="ij"))
        distance = np.hypot(dv, du)
        order = np.argsort(distance, kind="stable")
        columns = uv_px[:, :1] + du[order]
        rows = uv_px[:, 1:] + dv[order]
        inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
        flat = np.clip(rows, 0, height - 1) * width + np.clip(columns, 0, width - 1)
        self.z: Array = np.asarray(depth_m).ravel()[flat].astype(np.float64)
        self.near: Mask = distance[order] < 1.5  # the pixel itself and the eight around it
        self.valid: Mask = inside & (self.z >= options.min_m) & (self.z <= options.max_m)
        # Measured, but not within the range: an infinity says so too (REP-117).
        self.beyond: Mask = inside & ~self.valid & ~np.isnan(self.z) & (self.z != 0)
        self.area: NDArray[np.intp] = inside.sum(axis=1)
        self._edge_gap_m = options.edge_gap_m

    def rows(self, chosen: NDArray[np.intp]) -> _Windows:
        """Return the windows of some of the pixels."""
        part = copy(self)
        part.z, part.valid, part.beyond = self.z[chosen], self.valid[chosen], self.beyond[chosen]
        part.area = self.area[chosen]
        return part

    @property
    def support(self) -> Array:
        return np.asarray(self.valid.sum(axis=1) / self.area)

    @property
    def beyond_share(self) -> Array:
        return np.asarray(self.beyond.sum(axis=1) / self.area)

    @property
    def centre_is_beyond(self) -> Mask:
        """The pixel looks past the range, and is not just one stray value."""
        near = (self.beyond & self.near).sum(axis=1) > (self.valid & self.near).sum(axis=1)
        return np.asarray(self.beyond[:, 0] & near & (self.beyond_share >= _BEYOND_WINDOW))

    def surface(self, z_m: Array) -> Mask:
        """Return which valid pixels lie on the same surface as a depth (N,) of each window."""
        gap = np.maximum(self._edge_gap_m, 2 * depth_noise_m(z_m))
        with np.errstate(invalid="ignore"):  # infinities are not valid anyway
            return self.valid & (np.abs(self.z - z_m[:, None]) <= gap[:, None])


def _measure(windows: _Windows, options: LiftOptions) -> DepthMeasurements:
    measured = DepthMeasurements.of_nothing(len(windows.z))
    measured.support[:] = windows.support
    enough = windows.support >= options.min_support
    beyond = windows.centre_is_beyond | (~enough & (windows.beyond_share >= options.min_support))
    measured.status[beyond] = OUT_OF_RANGE
    usable = np.flatnonzero(enough & ~beyond)
    stands_alone = _put_own_surface(measured, windows.rows(usable), usable)
    _put_filled(measured, windows.rows(usable[stands_alone]), usable[stands_alone])
    return measured


def _put_own_surface(
    measured: DepthMeasurements, windows: _Windows, rows: NDArray[np.intp]
) -> Mask:
    """Measure the surfaces of valid pixels; return which have no depth or stand quite alone."""
    around = windows.surface(windows.z[:, 0]) & windows.near
    alone = ~windows.valid[:, 0] | (around.sum(axis=1) < 2)  # itself only: a stray value
    keep = np.flatnonzero(~alone)
    windows = windows.rows(keep)
    # The middle of the nearest pixels is the surface's depth, also where one pixel is a mix.
    own = windows.surface(_medians(windows.z, around[keep]))
    in_window = own.sum(axis=1) / windows.valid.sum(axis=1)
    nearby = (own & windows.near).sum(axis=1) / (windows.valid & windows.near).sum(axis=1)
    clear = (in_window >= _CLEAR_WINDOW) | (nearby >= _CLEAR_NEAR)
    measured.put(rows[keep], _result(np.where(clear, OK, AMBIGUOUS), windows, own, own))
    return alone


def _put_filled(measured: DepthMeasurements, windows: _Windows, rows: NDArray[np.intp]) -> None:
    """Fill holes from the valid pixels nearest to them."""
    candidates = windows.valid.copy()
    candidates[:, 0] = False
    nearest = candidates & (np.cumsum(candidates, axis=1) <= _NEAR_PIXELS)
    keep = np.flatnonzero(nearest.any(axis=1))
    windows, nearest = windows.rows(keep), nearest[keep]
    count = nearest.sum(axis=1)
    ranked = np.sort(np.where(nearest, windows.z, np.inf), axis=1)
    middle = ranked[np.arange(len(keep)), count // 2]  # a measured value, never between two
    own = windows.surface(middle)
    members = nearest & own
    clear = members.sum(axis=1) / count >= _CLEAR_NEAR
    status = np.where(clear, HOLE_FILLED, AMBIGUOUS)
    measured.put(rows[keep], _result(status, windows, members, own))


def _result(
    status: NDArray[np.integer[Any]], windows: _Windows, members: Mask, surface: Mask
) -> DepthMeasurements:
    depth = _medians(windows.z, members)
    with np.errstate(invalid="ignore"):
        deviation = np.abs(windows.z - depth[:, None])
    sigma = np.hypot(_MAD_TO_SIGMA * _medians(deviation, surface), depth_noise_m(depth))
    others = windows.valid & ~surface
    two = np.flatnonzero((status == AMBIGUOUS) & others.any(axis=1))
    between = np.abs(_medians(windows.z[two], others[two]) - depth[two]) / 2
    sigma[two] = np.maximum(sigma[two], between)
    return DepthMeasurements(status.astype(np.uint8), depth, sigma, windows.support)


def _medians(values: Array, chosen: Mask) -> Array:
    """Return the median (N,) of the chosen values of each row (N, M); no row is without any."""
    count = chosen.sum(axis=1)
    ranked = np.sort(np.where(chosen, values, np.inf), axis=1)
    rows = np.arange(len(values))
    return np.asarray((ranked[rows, (count - 1) // 2] + ranked[rows, count // 2]) / 2)
