"""Which triangle is seen through each pixel: an exact z-buffer, compiled.

For a ray d = (x, y, 1) and a triangle A, B, C in the camera frame, d . (B x C), d . (C x A) and
d . (A x B) are the barycentric weights up to a factor, and all are linear in the pixel: so this
gives what a ray caster gives, needs no clipping, and is several times faster for camera rays.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
NEAR_M = 0.02


@njit(cache=True)
def camera_points(vertices: F32, rotation: F64, eye: F64) -> F64:
    """Return (V, 3) world points in the camera frame whose axes are the columns of `rotation`."""
    points = np.empty(vertices.shape, np.float64)
    for i in range(vertices.shape[0]):
        x, y, z = vertices[i, 0] - eye[0], vertices[i, 1] - eye[1], vertices[i, 2] - eye[2]
        for k in range(3):
            points[i, k] = rotation[0, k] * x + rotation[1, k] * y + rotation[2, k] * z
    return points


@njit(cache=True)
def _span(a: float, b: float, c: float, size: int) -> tuple[int, int]:
    """Return the first and one past the last pixel centre between the least and the greatest."""
    low, high = min(a, b, c), max(a, b, c)
    if high < 0 or low > size - 1:
        return 0, 0
    return max(math.ceil(low), 0), min(math.floor(high), size - 1) + 1


@njit(cache=True)
def _inside(start: float, slope: float, first: float, last: float) -> tuple[float, float]:
    """Narrow the range [first, last] of steps to where start + step * slope >= 0."""
    if slope > 0:
        return max(first, -start / slope), last
    if slope < 0:
        return first, min(last, -start / slope)
    return (first, last) if start >= 0 else (1.0, 0.0)


@njit(cache=True)
def visible_triangles(points: F64, faces: I32, intrinsics: F64, width: int, height: int) -> I32:
    """Return the nearest triangle at each pixel centre, (height * width,), -1 for none.

    Args:
        points: (V, 3) camera frame.
        faces: (F, 3) indices of points.
        intrinsics: fx, fy, cx, cy of an image of this size.
        width: of the image, pixels.
        height: of the image, pixels.
    """
    fx, fy, cx, cy = intrinsics[0], intrinsics[1], intrinsics[2], intrinsics[3]
    nearest = np.full(height * width, -1, np.int32)
    closeness = np.zeros(height * width, np.float32)  # 1 / z, so that far is 0
    for f in range(faces.shape[0]):
        ia, ib, ic = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[ia, 0], points[ia, 1], points[ia, 2]
        bx, by, bz = points[ib, 0], points[ib, 1], points[ib, 2]
        x, y, z = points[ic, 0], points[ic, 1], points[ic, 2]
        if max(az, bz, z) < NEAR_M:
            continue
        if min(az, bz, z) > NEAR_M:
            u0, u1 = _span(fx * ax / az + cx, fx * bx / bz + cx, fx * x / z + cx, width)
            v0, v1 = _span(fy * ay / az + cy, fy * by / bz + cy, fy * y / z + cy, height)
        else:
            u0, u1, v0, v1 = 0, width, 0, height
        if u1 <= u0 or v1 <= v0:
            continue
        # rows: the weight of A, B, C as a linear function of the ray (x, y, 1)
        wa0, wa1, wa2 = by * z - bz * y, bz * x - bx * z, bx * y - by * x
        wb0, wb1, wb2 = y * az - z * ay, z * ax - x * az, x * ay - y * ax
        wc0, wc1, wc2 = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        volume = ax * wa0 + ay * wa1 + az * wa2
        if abs(volume) < 1e-18:
            continue
        s = 1.0 / volume  # then the three weights sum to 1 / z
        da, db, dc = s * wa0 / fx, s * wb0 / fx, s * wc0 / fx
        for v in range(v0, v1):
            ry = (v - cy) / fy
            rx = (u0 - cx) / fx
            a = s * (wa0 * rx + wa1 * ry + wa2)
            b = s * (wb0 * rx + wb1 * ry + wb2)
            c = s * (wc0 * rx + wc1 * ry + wc2)
            first, last = _inside(a, da, 0.0, u1 - u0 - 1.0)
            first, last = _inside(b, db, first, last)
            first, last = _inside(c, dc, first, last)
            if last < first:
                continue
            skip = max(int(first) - 1, 0)  # one pixel of slack: the exact test is below
            a, b, c = a + skip * da, b + skip * db, c + skip * dc
            row = v * width
            for u in range(u0 + skip, min(u0 + int(last) + 2, u1)):
                if a >= 0 and b >= 0 and c >= 0:
                    near = np.float32(a + b + c)
                    if near > closeness[row + u]:
                        closeness[row + u] = near
                        nearest[row + u] = f
                a += da
                b += db
                c += dc
    return nearest


@njit(cache=True)
def meet(
    triangle: I32, u: F32, v: F32, points: F64, faces: I32, intrinsics: F64
) -> tuple[F32, F32, F32]:
    """Return depth (m) and the weights of the second and third corner where rays meet triangles.

    Args:
        triangle: (N,) which triangle each ray meets, -1 for none.
        u: (N,) pixel columns of the rays.
        v: (N,) pixel rows of the rays.
        points: (V, 3) camera frame.
        faces: (F, 3) indices of points.
        intrinsics: fx, fy, cx, cy.
    """
    count = triangle.shape[0]
    depth = np.zeros(count, np.float32)
    second, third = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for i in range(count):
        f = triangle[i]
        if f < 0:
            continue
        rx, ry = (u[i] - intrinsics[2]) / intrinsics[0], (v[i] - intrinsics[3]) / intrinsics[1]
        ia, ib, ic = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = points[ia, 0], points[ia, 1], points[ia, 2]
        bx, by, bz = points[ib, 0], points[ib, 1], points[ib, 2]
        x, y, z = points[ic, 0], points[ic, 1], points[ic, 2]
        a = rx * (by * z - bz * y) + ry * (bz * x - bx * z) + bx * y - by * x
        b = rx * (y * az - z * ay) + ry * (z * ax - x * az) + x * ay - y * ax
        c = rx * (ay * bz - az * by) + ry * (az * bx - ax * bz) + ax * by - ay * bx
        volume = ax * (by * z - bz * y) + ay * (bz * x - bx * z) + az * (bx * y - by * x)
        total = a + b + c
        depth[i] = volume / total
        second[i], third[i] = b / total, c / total
    return depth, second, third
