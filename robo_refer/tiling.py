"""Frame -> tiles: what the released 2B and 8B see in place of nano's one canvas.

An image is stretched to a whole number of square tiles, and the tiles go through the tower one by
one. `dynamic` (2B; after InternVL 1.5, arXiv:2404.16821) takes the grid of 1 to 12
tiles whose aspect ratio is nearest to the image's and, if that is more than one tile, adds the
whole image as a last tile. `dynamic_s2` (8B; NVILA, arXiv:2412.04468) shows the image at each of
its scales: all but the last as squares, the last as a grid. The network joins their features.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Tiling = Literal["dynamic", "dynamic_s2"]
Grid = tuple[int, int]
"""(rows, columns) of tiles."""


@dataclass(frozen=True)
class TilingSpec:
    """How a checkpoint's towers want images cut.

    Attributes:
        tiling: which rule.
        tile_px: side of a tile.
        tile_tokens: tokens that the projector makes of a tile.
        min_tiles, max_tiles: bounds of the grid of `dynamic`; `max_tiles` also of `dynamic_s2`.
        scales_px: sides of the squares that `dynamic_s2` shows, the last one replaced by a grid of
            at least as many tiles.
        max_length: tokens of a prompt that the language model was trained for.
    """

    tiling: Tiling
    tile_px: int
    tile_tokens: int
    min_tiles: int = 1
    max_tiles: int = 12
    scales_px: tuple[int, ...] = ()
    max_length: int = 16384

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> TilingSpec:
        """Read it from a checkpoint's JSON; unknown names are an error."""
        return cls(**{**fields, "scales_px": tuple(fields.get("scales_px", ()))})

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return asdict(self)

    def grid(self, width: int, height: int) -> Grid:
        """Return rows and columns of the grid for an image of `width` x `height` pixels."""
        lowest = self.min_tiles
        if self.tiling == "dynamic_s2":
            lowest = (self.scales_px[-1] // self.tile_px) ** 2
        return nearest_grid(width, height, lowest, self.max_tiles, self.tile_px)

    def grids(self, grid: Grid) -> list[Grid]:
        """Return all grids that an image with this one is shown in, in the order of the model."""
        if self.tiling == "dynamic_s2":
            sides = [scale // self.tile_px for scale in self.scales_px[:-1]]
            return [*((side, side) for side in sides), grid]
        return [grid] if grid == (1, 1) else [grid, (1, 1)]

    def tiles(self, grid: Grid) -> int:
        """Return the number of tiles that an image with this grid becomes."""
        return sum(rows * columns for rows, columns in self.grids(grid))


def nearest_grid(width: int, height: int, lowest: int, highest: int, tile_px: int) -> Grid:
    """Return the (rows, columns) of `lowest` to `highest` tiles nearest in aspect ratio.

    Where two are as near, the one with more tiles wins if the image has more than half of the
    pixels that it can hold.
    """
    candidates = sorted(
        (
            (columns, rows)
            for columns in range(1, highest + 1)
            for rows in range(1, highest // columns + 1)
            if columns * rows >= lowest
        ),
        key=lambda size: size[0] * size[1],
    )
    best, nearest = candidates[0], float("inf")
    for columns, rows in candidates:
        distance = abs(width / height - columns / rows)
        large = width * height > 0.5 * tile_px * tile_px * columns * rows
        if distance < nearest or (distance == nearest and large):
            best, nearest = (columns, rows), distance
    return best[1], best[0]


def cut_tiles(image: NDArray[np.uint8], spec: TilingSpec) -> NDArray[np.uint8]:
    """Return (tiles, tile_px, tile_px, 3) uint8, in the order in which the model reads them.

    Args:
        image: (height, width, 3) colour, or relative depth repeated to three channels.
        spec: the rule.
    """
    grids = spec.grids(spec.grid(image.shape[1], image.shape[0]))
    return np.concatenate([_cut(image, grid, spec.tile_px) for grid in grids])


def _cut(image: NDArray[np.uint8], grid: Grid, tile_px: int) -> NDArray[np.uint8]:
    """Stretch the image over a grid of tiles and return them row by row."""
    from robo_refer.resampling import resize_bicubic

    rows, columns = grid
    stretched = resize_bicubic(image, (columns * tile_px, rows * tile_px))
    cells = stretched.reshape(rows, tile_px, columns, tile_px, 3).swapaxes(1, 2)
    return cells.reshape(rows * columns, tile_px, tile_px, 3)


# The float32 of every byte, in the order of operations of SigLIP's image processor: one look-up
# gives its values to the last bit.
_NORMALISED = ((np.arange(256) * (1 / 255)).astype(np.float32) - np.float32(0.5)) / np.float32(0.5)


def tile_pixels(tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return (tiles, 3, side, side) float32 in [-1, 1] of (tiles, side, side, 3) uint8."""
    count, side = tiles.shape[:2]
    pixels = np.empty((count, 3, side, side), np.float32)
    for tile, planes in zip(tiles, pixels, strict=True):
        for channel in range(3):
            cv2.LUT(cv2.extractChannel(tile, channel), _NORMALISED, dst=planes[channel])
    return pixels
