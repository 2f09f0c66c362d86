"""Rigid transforms as 4x4 matrices: `T_a_b` maps coordinates in frame b to frame a.

`p_a = transform_points(T_a_b, p_b)`, `T_a_c = compose(T_a_b, T_b_c)`, `T_b_a = invert(T_a_b)`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from robo_refer.errors import ErrorCode, RoboReferError

Array = NDArray[np.float64]


def from_quaternion(xyzw: ArrayLike, translation_m: ArrayLike) -> Array:
    """Return the (4, 4) transform of a quaternion (x, y, z, w: the order of ROS) and a shift.

    The quaternion is normalised; q and -q mean the same rotation.

    Raises:
        RoboReferError: TF_ERROR for a zero or non-finite quaternion or shift.
    """
    quaternion = np.asarray(xyzw, dtype=np.float64)
    shift = np.asarray(translation_m, dtype=np.float64)
    length = float(np.linalg.norm(quaternion))
    finite = np.isfinite(quaternion).all() and np.isfinite(shift).all()
    if quaternion.shape != (4,) or shift.shape != (3,) or not finite or length < 1e-9:
        raise RoboReferError(
            ErrorCode.TF_ERROR,
            f"Quaternion {quaternion} with shift {shift} is not a pose.",
            "Give a unit quaternion as x, y, z, w and a shift of three metres.",
        )
    x, y, z, w = quaternion / length
    transform = np.eye(4)
    transform[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    transform[:3, 3] = shift
    return transform


def is_rigid(transform: ArrayLike, tolerance: float = 1e-5) -> bool:
    """Tell whether a matrix is a (4, 4) rotation and shift: no scale, no mirror, all finite."""
    matrix = np.asarray(transform, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        return False
    rotation = matrix[:3, :3]
    orthonormal = np.abs(rotation @ rotation.T - np.eye(3)).max() <= tolerance
    last_row = np.abs(matrix[3] - (0, 0, 0, 1)).max() <= tolerance
    return bool(orthonormal and last_row and np.linalg.det(rotation) > 0)


def nearest_rigid(transform: ArrayLike, tolerance: float = 1e-3) -> Array | None:
    """Return the rigid (4, 4) transform nearest to one that was written with a few decimals.

    None where it is further from any than rounding explains.
    """
    if not is_rigid(transform, tolerance):
        return None
    matrix = np.array(transform, dtype=np.float64)
    left, _, right = np.linalg.svd(matrix[:3, :3])
    matrix[:3, :3] = left @ right
    matrix[3] = (0, 0, 0, 1)
    return matrix


def invert(transform: ArrayLike) -> Array:
    """Return `T_b_a` of `T_a_b`.

    Raises:
        RoboReferError: TF_ERROR when the matrix is not rigid.
    """
    matrix = _rigid(transform)
    inverse = np.eye(4)
    inverse[:3, :3] = matrix[:3, :3].T
    inverse[:3, 3] = -matrix[:3, :3].T @ matrix[:3, 3]
    return inverse


def compose(*transforms: ArrayLike) -> Array:
    """Return the product `T_a_b @ T_b_c @ ...`; of nothing, the identity.

    Raises:
        RoboReferError: TF_ERROR when one of them is not rigid.
    """
    product = np.eye(4)
    for transform in transforms:
        product = product @ _rigid(transform)
    return product


def transform_points(transform: ArrayLike, points: ArrayLike) -> Array:
    """Return points (..., 3) of frame b in frame a, given `T_a_b`.

    Raises:
        RoboReferError: TF_ERROR when the matrix is not rigid.
    """
    matrix = _rigid(transform)
    return np.asarray(points, dtype=np.float64) @ matrix[:3, :3].T + matrix[:3, 3]


def _rigid(transform: ArrayLike) -> Array:
    if not is_rigid(transform):
        raise RoboReferError(
            ErrorCode.TF_ERROR,
            "The transform is not a rotation and a shift (4x4, right-handed, without scale).",
            "Check the calibration; a pose from a file may be transposed or in millimetres.",
        )
    return np.asarray(transform, dtype=np.float64)
