"""Ground truth of the objects of a rendered scene: masks, visibility, boxes, points."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from robo_refer.data import masks
from robo_refer.data.sample import ObjectTruth
from robo_refer.types import FloatArray
from robo_refer_data.render import RenderResult, RenderScene
from robo_refer_data.scenes.layout import Layout, PlacedObject

MIN_VISIBLE_FRACTION = 0.35
MIN_IMAGE_SHARE = 0.0012
MARGIN_SHARE = 0.5  # of the image size around it, where what is cut off still counts as hidden


def object_truths(
    layout: Layout, scene: RenderScene, result: RenderResult
) -> tuple[ObjectTruth, ...]:
    """Return the truth of every object that is visible enough to be referred to."""
    height, width = result.instance.shape
    number = len(layout.objects) + 1
    flat = result.instance.ravel()
    visible = np.bincount(flat, minlength=number)
    whole = amodal_pixels(scene, number)
    truths = []
    for placed in layout.objects:
        pixels, full = int(visible[placed.id]), int(whole[placed.id])
        fraction = min(pixels / max(full, 1), 1.0)
        if fraction < MIN_VISIBLE_FRACTION or pixels < MIN_IMAGE_SHARE * width * height:
            continue
        truths.append(_truth(placed, result, fraction))
    return tuple(truths)


def _truth(placed: PlacedObject, result: RenderResult, fraction: float) -> ObjectTruth:
    mask = result.instance == placed.id
    front = placed.asset.shape.front
    return ObjectTruth(
        id=placed.id,
        name=placed.asset.spec.name,
        colour=placed.asset.colour,
        material=placed.asset.material,
        size_m=placed.size_m,
        T_world_obj=placed.T_world_obj,
        front_obj=None if front is None else np.array(front, dtype=float),
        mask=masks.encode(mask),
        visible_fraction=float(fraction),
        depth_m=float(np.median(result.depth_m[mask])),
        point_norm=point_on(mask),
        support_id=placed.support_id,
        support_kind=placed.support_kind,
    )


def point_on(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """Return a point (x, y) in [0, 1] well inside a mask: its centroid, or its deepest pixel.

    The centroid serves when it is at least half as deep inside as the deepest pixel is.
    """
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = rows[0], columns[0]
    crop = mask[top : rows[-1] + 1, left : columns[-1] + 1]
    padded = cv2.copyMakeBorder(crop.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    inside = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[1:-1, 1:-1]
    v, u = (round(float(axis.mean())) for axis in np.nonzero(crop))
    if inside[v, u] < 0.5 * inside.max():
        v, u = np.unravel_index(int(inside.argmax()), inside.shape)  # type: ignore[assignment]
    return (float(u + left + 0.5) / width, float(v + top + 0.5) / height)


def amodal_pixels(scene: RenderScene, number: int) -> NDArray[np.int64]:
    """Return (number,) pixels that each instance would cover if nothing hid it.

    The image is continued by `MARGIN_SHARE` on every side, so that an object cut by the border
    counts as partly hidden.
    """
    camera = scene.camera
    assert camera.T_world_cam is not None
    pad_u, pad_v = int(MARGIN_SHARE * camera.width), int(MARGIN_SHARE * camera.height)
    start = int(np.searchsorted(scene.part_instance[scene.face_part], 1))  # props come first
    faces = scene.faces[start:]
    first = int(faces.min()) if len(faces) else 0
    local = (scene.vertices[first:] - camera.T_world_cam[:3, 3]) @ camera.T_world_cam[:3, :3]
    z = np.maximum(local[:, 2], 0.02)
    u = camera.fx * local[:, 0] / z + camera.cx + pad_u
    v = camera.fy * local[:, 1] / z + camera.cy + pad_v
    owner = scene.part_instance[scene.face_part[start:]]
    size = (camera.width + 2 * pad_u, camera.height + 2 * pad_v)
    return _stamp(u.astype(np.float64), v.astype(np.float64), faces - first, owner, number, *size)


@njit(cache=True)
def _stamp(
    u: FloatArray,
    v: FloatArray,
    faces: NDArray[np.int32],
    owner: NDArray[np.int32],
    number: int,
    width: int,
    height: int,
) -> NDArray[np.int64]:
    """Count the pixel centres that the triangles of each owner cover, each once per owner."""
    stamp = np.zeros((height, width), np.int32)
    counts = np.zeros(number, np.int64)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        area = (u[b] - u[a]) * (v[c] - v[a]) - (v[b] - v[a]) * (u[c] - u[a])
        if abs(area) < 1e-12:
            continue
        low_u, high_u = min(u[a], u[b], u[c]), max(u[a], u[b], u[c])
        low_v, high_v = min(v[a], v[b], v[c]), max(v[a], v[b], v[c])
        for y in range(max(int(np.ceil(low_v)), 0), min(int(high_v), height - 1) + 1):
            for x in range(max(int(np.ceil(low_u)), 0), min(int(high_u), width - 1) + 1):
                if stamp[y, x] == owner[f]:
                    continue
                w0 = ((u[b] - x) * (v[c] - y) - (v[b] - y) * (u[c] - x)) / area
                w1 = ((u[c] - x) * (v[a] - y) - (v[c] - y) * (u[a] - x)) / area
                if w0 >= 0 and w1 >= 0 and w0 + w1 <= 1:
                    stamp[y, x] = owner[f]
                    counts[owner[f]] += 1
    return counts
