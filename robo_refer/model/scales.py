"""Features of one image at several scales, joined on the grid of the last (S2, arXiv:2403.13043).

A tower sees tiles; here they are put back where they were in the image, every scale is brought to
the size of the last one, and the channels of all scales stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional


def stitch(tiles: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Return the (rows * side, columns * side, channels) map of tiles in their grid.

    Args:
        tiles: (rows * columns, side * side, channels), row by row.
        grid: rows and columns of tiles.
    """
    rows, columns = grid
    side = round(tiles.shape[1] ** 0.5)
    image = tiles.reshape(rows, columns, side, side, -1).transpose(1, 2)
    return image.reshape(rows * side, columns * side, -1)


def cut(image: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """Return the (rows * columns, side * side, channels) tiles of a map: `stitch` undone."""
    rows, columns = grid
    side = image.shape[0] // rows
    tiles = image.reshape(rows, side, columns, side, -1).transpose(1, 2)
    return tiles.reshape(rows * columns, side * side, -1)


def join_scales(
    features: torch.Tensor, squares: Sequence[int], grid: tuple[int, int]
) -> torch.Tensor:
    """Return (rows * columns, patches, scales * channels): the tiles of the last scale.

    Args:
        features: (tiles, patches, channels) of one image, scale after scale.
        squares: tiles along a side of every scale but the last.
        grid: rows and columns of tiles of the last scale.
    """
    grids = [*((side, side) for side in squares), grid]
    parts = features.split([rows * columns for rows, columns in grids])
    maps = [stitch(part, shape) for part, shape in zip(parts, grids, strict=True)]
    size = maps[-1].shape[:2]
    joined = torch.cat([_resize(scale, size) for scale in maps], dim=2)
    return cut(joined, grid)


def _resize(image: torch.Tensor, size: torch.Size) -> torch.Tensor:
    channels_first = image.permute(2, 0, 1)[None].float()
    resized = functional.interpolate(channels_first, size=tuple(size), mode="area")
    return resized[0].permute(1, 2, 0).to(image.dtype)
