"""Compiled inner loops of the ray caster: rays, hits, shading, smoothing.

All arrays are float32 in the world frame unless said otherwise; N is the number of rays.
Pictures are flat, row-major, so that pixel (u, v) is entry v * width + u.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from robo_refer_data.render.albedo import albedo

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

PATTERN = 4  # light samples repeat every PATTERN x PATTERN pixels and are averaged over as many
SPOTS = PATTERN * PATTERN
CURVE_STEPS = 1024


@njit(cache=True)
def vertex_normals(vertices: F32, faces: I32) -> F32:
    """Return (V, 3) unit normals, area-weighted over the triangles that share a vertex."""
    normals = np.zeros_like(vertices)
    for f in range(faces.shape[0]):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x, y, z = vertices[a, 0], vertices[a, 1], vertices[a, 2]
        px, py, pz = vertices[b, 0] - x, vertices[b, 1] - y, vertices[b, 2] - z
        qx, qy, qz = vertices[c, 0] - x, vertices[c, 1] - y, vertices[c, 2] - z
        nx = py * qz - pz * qy
        ny = pz * qx - px * qz
        nz = px * qy - py * qx
        for corner in (a, b, c):
            normals[corner, 0] += nx
            normals[corner, 1] += ny
            normals[corner, 2] += nz
    for i in range(normals.shape[0]):
        x, y, z = normals[i, 0], normals[i, 1], normals[i, 2]
        length = max(math.sqrt(x * x + y * y + z * z), 1e-20)
        normals[i, 0], normals[i, 1], normals[i, 2] = x / length, y / length, z / length
    return normals


@njit(cache=True)
def camera_rays(u: F32, v: F32, intrinsics: F64, rotation: F64) -> F32:
    """Return (N, 3) ray directions with unit z in the camera: their length parameter is depth.

    Args:
        u: (N,) pixel columns.
        v: (N,) pixel rows.
        intrinsics: fx, fy, cx, cy.
        rotation: 3x3, camera to world.
    """
    directions = np.empty((u.shape[0], 3), np.float32)
    for i in range(u.shape[0]):
        x, y = (u[i] - intrinsics[2]) / intrinsics[0], (v[i] - intrinsics[3]) / intrinsics[1]
        for k in range(3):
            directions[i, k] = rotation[k, 0] * x + rotation[k, 1] * y + rotation[k, 2]
    return directions


@njit(cache=True)
def surface_points(
    triangle: I32,
    bary_u: F32,
    bary_v: F32,
    depth: F32,
    directions: F32,
    eye: F64,
    faces: I32,
    normals: F32,
    local: F32,
) -> tuple[F32, F32, F32]:
    """Return points, shading normals (towards the eye) and texture coordinates of hits, (N, 3)."""
    count = triangle.shape[0]
    point = np.zeros((count, 3), np.float32)
    normal = np.zeros((count, 3), np.float32)
    coordinate = np.zeros((count, 3), np.float32)
    for i in range(count):
        f = triangle[i]
        if f < 0:
            continue
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        q, r = bary_u[i], bary_v[i]
        p = 1 - q - r
        length, facing = np.float32(0), np.float32(0)
        for k in range(3):
            point[i, k] = eye[k] + depth[i] * directions[i, k]
            coordinate[i, k] = p * local[a, k] + q * local[b, k] + r * local[c, k]
            n = p * normals[a, k] + q * normals[b, k] + r * normals[c, k]
            normal[i, k] = n
            length += n * n
            facing += n * directions[i, k]
        scale = (-1 if facing > 0 else 1) / max(math.sqrt(length), 1e-12)
        for k in range(3):
            normal[i, k] *= scale
    return point, normal, coordinate


@njit(cache=True)
def basis(x: float, y: float, z: float) -> tuple[float, float, float, float, float, float]:
    """Return two unit vectors that complete the unit vector (x, y, z) to a frame."""
    sign = 1.0 if z >= 0 else -1.0
    a = -1.0 / (sign + z)
    b = x * y * a
    return 1 + sign * x * x * a, sign * b, -sign * x, b, sign + y * y * a, -y


@njit(cache=True)
def light_rays(
    triangle: I32,
    point: F32,
    normal: F32,
    width: int,
    discs: F32,
    domes: F32,
    key: F32,
    samples: int,
    reach_m: float,
) -> tuple[F32, F32, F32]:
    """Return rays towards the key light and into the hemisphere (for ambient occlusion).

    Args:
        triangle: (N,) triangles hit, -1 for none.
        point: (N, 3) where.
        normal: (N, 3) unit normals there.
        width: of the image, pixels.
        discs: (SPOTS * samples, 2) points in the unit disc, scaled by the light's radius.
        domes: (SPOTS * samples, 3) cosine-weighted directions around z.
        key: (3,) unit vector towards the light.
        samples: rays of each kind per point.
        reach_m: how far ambient occlusion looks.

    Returns origins, directions (2 * N * samples, 3) and lengths (2 * N * samples,): first all
    shadow rays, then all ambient ones, `samples` per point.
    """
    count = triangle.shape[0]
    total = count * samples
    origins = np.zeros((2 * total, 3), np.float32)
    directions = np.zeros((2 * total, 3), np.float32)
    lengths = np.zeros(2 * total, np.float32)
    kx0, kx1, kx2, ky0, ky1, ky2 = basis(key[0], key[1], key[2])
    for i in range(count):
        if triangle[i] < 0:
            continue
        x, y, z = normal[i, 0], normal[i, 1], normal[i, 2]
        ax, ay, az, bx, by, bz = basis(x, y, z)
        lit = x * key[0] + y * key[1] + z * key[2] > 0
        spot = (i // width % PATTERN) * PATTERN + i % width % PATTERN
        for s in range(samples):
            j, shadow, dome = spot * samples + s, i * samples + s, total + i * samples + s
            for k in range(3):
                origins[shadow, k] = point[i, k] + np.float32(7e-4) * normal[i, k]
                origins[dome, k] = origins[shadow, k]
            directions[shadow, 0] = key[0] + discs[j, 0] * kx0 + discs[j, 1] * ky0
            directions[shadow, 1] = key[1] + discs[j, 0] * kx1 + discs[j, 1] * ky1
            directions[shadow, 2] = key[2] + discs[j, 0] * kx2 + discs[j, 1] * ky2
            lengths[shadow] = 20.0 if lit else 0.0
            d0, d1, d2 = domes[j, 0], domes[j, 1], domes[j, 2]
            directions[dome, 0] = d0 * ax + d1 * bx + d2 * x
            directions[dome, 1] = d0 * ay + d1 * by + d2 * y
            directions[dome, 2] = d0 * az + d1 * bz + d2 * z
            lengths[dome] = reach_m
    return origins, directions, lengths


@njit(cache=True)
def _gather(
    i: int, before: int, after: int, width: int, raw: F32, triangle: I32, point: F32,
    normal: F32, near_m: float,
) -> tuple[float, float, int]:  # fmt: skip
    """Return summed light of the pixels around i that lie on its tangent plane, and their count."""
    height = triangle.shape[0] // width
    v, u = i // width, i % width
    n0, n1, n2 = normal[i, 0], normal[i, 1], normal[i, 2]
    p0, p1, p2 = point[i, 0], point[i, 1], point[i, 2]
    key, sky, count = np.float32(0), np.float32(0), 0
    for y in range(max(v - before, 0), min(v + after, height)):
        for x in range(max(u - before, 0), min(u + after, width)):
            j = y * width + x
            if triangle[j] < 0:
                continue
            if n0 * normal[j, 0] + n1 * normal[j, 1] + n2 * normal[j, 2] < 0.8:
                continue
            gap = (point[j, 0] - p0) * n0 + (point[j, 1] - p1) * n1 + (point[j, 2] - p2) * n2
            if abs(gap) > near_m:
                continue
            key += raw[j, 0]
            sky += raw[j, 1]
            count += 1
    return float(key), float(sky), count


@njit(cache=True)
def smooth_light(
    blocked: I32, samples: int, width: int, triangle: I32, point: F32, normal: F32, depth: F32
) -> tuple[F32, F32]:
    """Return open shares of key light and sky (N,), averaged over one pattern of neighbours.

    Only neighbours on (nearly) the same tangent plane count, so light does not leak over edges.
    Where an edge leaves few of them, a larger neighbourhood serves.
    """
    count = triangle.shape[0]
    total = count * samples
    raw = np.zeros((count, 2), np.float32)
    for i in range(count):
        for s in range(samples):
            raw[i, 0] += blocked[i * samples + s] < 0
            raw[i, 1] += blocked[total + i * samples + s] < 0
    key, sky = np.ones(count, np.float32), np.ones(count, np.float32)
    for i in range(count):
        if triangle[i] < 0:
            continue
        near = 0.006 * depth[i]
        sum_key, sum_sky, found = _gather(i, 1, 3, width, raw, triangle, point, normal, near)
        if found < SPOTS - 4:
            sum_key, sum_sky, found = _gather(i, 3, 5, width, raw, triangle, point, normal, near)
        if found == 0:  # a sliver without a normal: not even its own neighbour
            sum_key, sum_sky, found = float(raw[i, 0]), float(raw[i, 1]), 1
        key[i], sky[i] = sum_key / (found * samples), sum_sky / (found * samples)
    return key, sky


@njit(cache=True)
def _environment(z: float, x: float, sky: F32, ground: F32, k: int) -> float:
    """Return one channel of what a mirror facing (x, ., z) shows: floor, wall, bright ceiling."""
    t = min(max(z * 2.0 + 0.5, 0.0), 1.0)
    value = ground[k] * (1 - t) + sky[k] * t
    lamp = max(1 - 4 * x * x, 0.0) * min(max(4 * z - 2.0, 0.0), 1.0)  # a long ceiling lamp
    return value + 1.2 * sky[k] * lamp


@njit(cache=True)
def displayed(linear: F32, curve: F32) -> F32:
    """Return display colours in 0..255 of linear ones, (N, 3)."""
    image = np.empty_like(linear)
    for i in range(linear.shape[0]):
        for k in range(3):
            image[i, k] = _display(linear[i, k], curve)
    return image


@njit(cache=True)
def shade(
    part: I32,
    directions: F32,
    normal: F32,
    coordinate: F32,
    key_open: F32,
    sky_open: F32,
    looks: F32,
    textures: I32,
    images: I32,
    texels: F32,
    lights: F32,
    curve: F32,
) -> F32:
    """Return (N, 3) display colours in 0..255.

    Args:
        part: (N,) part index, -1 where nothing was hit.
        directions: (N, 3) from the eye.
        normal: (N, 3) unit normals, towards the eye.
        coordinate: (N, 3) in the part's texture, metres.
        key_open: (N,) share of the key light that arrives.
        sky_open: (N,) share of the sky that is seen.
        looks: (P, 9), see `RenderScene.part_looks`.
        textures: (P,) indices into `TEXTURES`.
        images: (P, 3), see `RenderScene.part_image`.
        texels: see `RenderScene`.
        lights: rows key_dir, key_rgb, fill_dir, fill_rgb, sky_rgb, ground_rgb.
        curve: see `display_curve`.
    """
    count = part.shape[0]
    image = np.empty((count, 3), np.float32)
    key_dir, key_rgb, fill_dir, fill_rgb = lights[0], lights[1], lights[2], lights[3]
    sky, ground = lights[4], lights[5]
    for i in range(count):
        if part[i] < 0:
            for k in range(3):
                image[i, k] = _display(sky[k], curve)
            continue
        p = part[i]
        look = looks[p]
        a0, a1, a2 = albedo(p, coordinate[i], looks, textures, images, texels)
        n0, n1, n2 = normal[i, 0], normal[i, 1], normal[i, 2]
        v0, v1, v2 = -directions[i, 0], -directions[i, 1], -directions[i, 2]
        size = 1 / math.sqrt(v0 * v0 + v1 * v1 + v2 * v2)
        v0, v1, v2 = v0 * size, v1 * size, v2 * size
        facing = max(n0 * v0 + n1 * v1 + n2 * v2, 0.0)
        lit = max(n0 * key_dir[0] + n1 * key_dir[1] + n2 * key_dir[2], 0.0) * key_open[i]
        filled = max(n0 * fill_dir[0] + n1 * fill_dir[1] + n2 * fill_dir[2], 0.0) * sky_open[i]
        up = 0.5 + 0.5 * n2
        gloss, metal = look[7], look[8]
        # half vector highlight of the key light, normalised so that sharper is brighter
        h0, h1, h2 = v0 + key_dir[0], v1 + key_dir[1], v2 + key_dir[2]
        half = max(n0 * h0 + n1 * h1 + n2 * h2, 0.0) / math.sqrt(h0 * h0 + h1 * h1 + h2 * h2 + 1e-9)
        power = 6.0 + 120.0 * gloss * gloss
        highlight = 0.0
        if gloss > 0.02 and key_open[i] > 0 and half > 0.5:
            highlight = gloss * gloss * 0.035 * (power + 8.0) * half**power * key_open[i]
        fresnel = 0.04 + 0.96 * (1 - facing) ** 5
        r0, r2 = 2 * facing * n0 - v0, 2 * facing * n2 - v2
        for k in range(3):
            own = (a0, a1, a2)[k]
            ambient = (sky[k] * up + ground[k] * (1 - up)) * sky_open[i]
            diffuse = own * (key_rgb[k] * lit + fill_rgb[k] * filled + ambient)
            mirror = _environment(r2, r0, sky, ground, k) * (0.3 + 0.7 * sky_open[i])
            value = diffuse * (1 - 0.75 * metal)
            value += gloss * mirror * (metal * own * 1.5 + (1 - metal) * fresnel)
            value += highlight * key_rgb[k] * (0.4 * (1 - metal) + metal * own)
            image[i, k] = _display(value, curve)
    return image


def display_curve() -> F32:
    """Return what linear light is displayed as, 0..255, for sqrt(light) = 0 .. 2 in even steps.

    A soft shoulder above 0.7, then the sRGB curve (IEC 61966-2-1). The square root, which is
    near that curve, makes linear interpolation between the entries exact enough.
    """
    light = np.linspace(0, 2, CURVE_STEPS + 1) ** 2
    light = np.where(light > 0.7, 0.7 + 0.3 * (1 - np.exp(-(light - 0.7) / 0.3)), light)
    curved = 1.055 * np.maximum(light, 0.003) ** (1 / 2.4) - 0.055
    return (255 * np.where(light <= 0.0031308, 12.92 * light, curved)).astype(np.float32)


@njit(cache=True)
def _display(value: float, curve: F32) -> float:
    """Return 0..255 for a linear value."""
    place = min(math.sqrt(max(value, 0.0)), 1.999) * (CURVE_STEPS / 2)
    index = int(place)
    return curve[index] + (place - index) * (curve[index + 1] - curve[index])


@njit(cache=True)
def rough_pixels(image: F32, part: I32, normal: F32, width: int, contrast: float) -> I32:
    """Return the pixels (K,) that differ from a neighbour: these need more samples."""
    count = part.shape[0]
    height = count // width
    marked = np.zeros(count, np.bool_)
    for v in range(height):
        for u in range(width):
            i = v * width + u
            for step in range(4):
                x, y = u + (1, 0, 1, -1)[step], v + (0, 1, 1, 1)[step]
                if x < 0 or x >= width or y >= height:
                    continue
                j = y * width + x
                differs = part[i] != part[j]
                if not differs:
                    jump = np.float32(0)
                    for k in range(3):
                        jump = max(jump, abs(image[i, k] - image[j, k]))
                    differs = jump > contrast
                if differs:
                    marked[i] = True
                    marked[j] = True
    return np.flatnonzero(marked).astype(np.int32)


@njit(cache=True)
def borrow_light(
    pixels: I32,
    per_pixel: int,
    sub_part: I32,
    sub_point: F32,
    sub_normal: F32,
    part: I32,
    point: F32,
    normal: F32,
    key: F32,
    sky: F32,
    width: int,
) -> tuple[F32, F32]:
    """Return key and sky light of sub-samples, taken from the nearest like pixel around them."""
    count = part.shape[0]
    height = count // width
    sub_key = np.ones(sub_part.shape[0], np.float32)
    sub_sky = np.full(sub_part.shape[0], 0.7, np.float32)
    for s in range(sub_part.shape[0]):
        if sub_part[s] < 0:
            continue
        i = pixels[s // per_pixel]
        v, u = i // width, i % width
        best = np.float32(1e30)
        for y in range(max(v - 1, 0), min(v + 2, height)):
            for x in range(max(u - 1, 0), min(u + 2, width)):
                j = y * width + x
                if part[j] != sub_part[s]:
                    continue
                gap, turn = np.float32(0), np.float32(0)
                for k in range(3):
                    gap += (point[j, k] - sub_point[s, k]) ** 2
                    turn += normal[j, k] * sub_normal[s, k]
                gap *= 1 + 20 * (1 - turn)
                if gap < best:
                    best = gap
                    sub_key[s], sub_sky[s] = key[j], sky[j]
    return sub_key, sub_sky
