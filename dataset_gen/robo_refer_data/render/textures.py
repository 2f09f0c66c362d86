"""Procedural textures: a weight between a part's two colours at a point of its surface.

They are solid (functions of 3D coordinates in the part's own frame), so that no mesh needs
texture coordinates.
"""

from __future__ import annotations

import math

from numba import njit

TEXTURES = (
    "plain", "wood", "checker", "stripes", "speckle", "cloth", "marble", "noise", "dots",
    "band", "tiles", "bricks", "label", "keys", "planks",
)  # fmt: skip


@njit(cache=True)
def _hash(x: int, y: int, z: int) -> float:
    """Return a repeatable number in [0, 1) for a lattice point."""
    n = (x * 73856093) ^ (y * 19349663) ^ (z * 83492791)
    n = ((n ^ (n >> 15)) * 739982445) & 0x7FFFFFFF
    return ((n ^ (n >> 12)) & 0xFFFFFF) / 16777216.0


@njit(cache=True)
def noise3(x: float, y: float, z: float) -> float:
    """Return smooth value noise in [0, 1] with lattice spacing 1."""
    i, j, k = math.floor(x), math.floor(y), math.floor(z)
    tx, ty, tz = x - i, y - j, z - k
    tx, ty, tz = tx * tx * (3 - 2 * tx), ty * ty * (3 - 2 * ty), tz * tz * (3 - 2 * tz)
    a = _hash(i, j, k) * (1 - tx) + _hash(i + 1, j, k) * tx
    b = _hash(i, j + 1, k) * (1 - tx) + _hash(i + 1, j + 1, k) * tx
    c = _hash(i, j, k + 1) * (1 - tx) + _hash(i + 1, j, k + 1) * tx
    d = _hash(i, j + 1, k + 1) * (1 - tx) + _hash(i + 1, j + 1, k + 1) * tx
    return (a * (1 - ty) + b * ty) * (1 - tz) + (c * (1 - ty) + d * ty) * tz


@njit(cache=True)
def _wood(x: float, y: float, z: float) -> float:
    """Grain along x: stretched rings, bent by noise."""
    bend = noise3(x * 0.12, y * 0.5, z * 0.5)
    ring = math.sin(6.2832 * (0.35 * math.hypot(y, z + 3.0) + 1.6 * bend))
    fibre = noise3(x * 0.4, y * 6.0, z * 6.0)
    return 0.35 + 0.3 * ring + 0.5 * (fibre - 0.5)


@njit(cache=True)
def _marble(x: float, y: float, z: float) -> float:
    warp = noise3(x, y, z) + 0.5 * noise3(2.1 * x, 2.1 * y, 2.1 * z + 7.0)
    vein = abs(math.sin(1.6 * (x + 0.7 * y) + 5.0 * warp))
    return (1 - vein) ** 4 + 0.15 * (warp - 0.7)


@njit(cache=True)
def _grout(x: float, y: float, shift: bool, width: float) -> float:
    """Return 1 on the lines between tiles (2 x 1 and shifted for bricks), else a tile's tone."""
    if shift:
        x = 0.5 * x + 0.5 * (math.floor(y) & 1)
    fx, fy = x - math.floor(x), y - math.floor(y)
    edge_x = width * (0.5 if shift else 1.0)
    if fx < edge_x or fy < width:
        return 1.0
    return 0.18 * _hash(math.floor(x), math.floor(y), 5)


@njit(cache=True)
def _planks(x: float, y: float, z: float) -> float:
    """Boards along x, one unit wide, each with its own tone and a dark joint."""
    row = math.floor(y)
    fy = y - row
    fx = 0.2 * x + _hash(row, 3, 0)
    board = math.floor(fx)
    if fy < 0.03 or fx - board < 0.004:
        return 1.3
    tone = _hash(row, board, 1)
    return 0.55 * tone + 0.5 * _wood(x * 3.0 + 31.0 * tone, y * 6.0 + 17.0 * tone, z)


@njit(cache=True)
def texture_weight(kind: int, px: float, py: float, pz: float, scale: float) -> float:
    """Return how much of the second colour a surface shows at (px, py, pz) metres.

    Mostly in [0, 1]; slightly beyond darkens or lightens further. `scale` is the pattern's size.
    """
    if kind == 0:
        return 0.0
    x, y, z = px / scale, py / scale, pz / scale
    if kind == 1:
        return _wood(x, y, z)
    if kind == 2:
        return float((math.floor(x) + math.floor(y) + math.floor(z + 0.001)) & 1)
    if kind == 3:
        return float(math.floor(x + 0.35 * y) & 1)
    if kind == 4:
        return 1.0 if noise3(x, y, z) > 0.72 else 0.0
    if kind == 5:
        weave = math.sin(6.2832 * x) * math.sin(6.2832 * (y + z))
        return 0.4 + 0.35 * weave + 0.3 * (noise3(0.3 * x, 0.3 * y, 0.3 * z) - 0.5)
    if kind == 6:
        return _marble(x, y, z)
    if kind == 7:
        return 0.6 * noise3(x, y, z) + 0.4 * noise3(3.1 * x, 3.1 * y, 3.1 * z)
    if kind == 8:
        fx, fy = x - math.floor(x) - 0.5, y + z - math.floor(y + z) - 0.5
        return 1.0 if fx * fx + fy * fy < 0.07 else 0.0
    if kind == 9:  # a band around the middle, |z| < scale
        return 1.0 if abs(pz) < scale else 0.0
    if kind == 10:
        return _grout(x, y + z, False, 0.05)
    if kind == 11:
        return _grout(x + y, z, True, 0.1)
    if kind == 12:  # a printed front: a block with lines below, |z| < scale
        if abs(pz) > scale:
            return 0.0
        if pz > 0.0:
            return 1.0
        return 0.9 if (math.floor(6.0 * z) & 1) == 0 else 0.0
    if kind == 13:
        fx, fy = x - math.floor(x), y - math.floor(y)
        return 1.0 if 0.12 < fx < 0.88 and 0.12 < fy < 0.88 else 0.0
    return _planks(x, y, z)
