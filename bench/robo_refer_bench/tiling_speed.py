"""Speed of cutting an image into tiles, against transformers' image processor, tile after tile.

The peer is what the released code does: Pillow stretches the image, every tile is cropped and goes
through SigLIP's processor alone. Both sides must give the same values to the last bit.

Run it with `python -m robo_refer_bench.tiling_speed IMAGE`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.files.frame_files import read_rgb
from robo_refer.tiling import TilingSpec, cut_tiles, tile_pixels

PAIRS = 15
SPECS = {
    "2B, dynamic": TilingSpec("dynamic", tile_px=448, tile_tokens=121),
    "8B, dynamic_s2": TilingSpec(
        "dynamic_s2", tile_px=448, tile_tokens=256, scales_px=(448, 896, 1344)
    ),
}


def peer_pixels(image: Any, spec: TilingSpec, processor: Any) -> NDArray[np.float32]:
    """Return (tiles, 3, side, side) float32 of a PIL image, as the released code does."""
    rows, columns = spec.grid(*image.size)
    if spec.tiling == "dynamic_s2":
        sides = [scale // spec.tile_px for scale in spec.scales_px[:-1]]
        grids = [*((side, side) for side in sides), (rows, columns)]
    else:
        grids = [(rows, columns), (1, 1)] if rows * columns > 1 else [(1, 1)]
    tiles = []
    for down, across in grids:
        # In two steps: the released code's Pillow went across first, the newest not always.
        stretched = image.resize((across * spec.tile_px, image.height))
        stretched = stretched.resize((across * spec.tile_px, down * spec.tile_px))
        for row in range(down):
            for column in range(across):
                x, y = column * spec.tile_px, row * spec.tile_px
                tile = stretched.crop((x, y, x + spec.tile_px, y + spec.tile_px))
                tiles.append(processor(tile, return_tensors="np")["pixel_values"][0])
    return np.stack(tiles)


def measure(rgb: NDArray[np.uint8]) -> dict[str, dict[str, float]]:
    """Return median CPU milliseconds per tile of both sides, and their ratio, for each tiling.

    Raises:
        AssertionError: the values differ.
    """
    from PIL import Image
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    processor = SiglipImageProcessorPil(size={"height": 448, "width": 448})
    image = Image.fromarray(rgb)
    results = {}
    for name, spec in SPECS.items():

        def ours(spec: TilingSpec = spec) -> NDArray[np.float32]:
            return tile_pixels(cut_tiles(rgb, spec))

        def peer(spec: TilingSpec = spec) -> NDArray[np.float32]:
            return peer_pixels(image, spec, processor)

        np.testing.assert_array_equal(ours(), peer())
        pairs = [(_cpu_ms(ours), _cpu_ms(peer)) for _ in range(PAIRS)]
        tiles = len(cut_tiles(rgb, spec))
        results[name] = {
            "tiles": tiles,
            "ours_ms": median(own for own, _ in pairs) / tiles,
            "peer_ms": median(other for _, other in pairs) / tiles,
            "ratio": median(other / own for own, other in pairs),
        }
    return results


def _cpu_ms(run: Callable[[], object]) -> float:
    start = process_time()
    run()
    return (process_time() - start) * 1e3


if __name__ == "__main__":
    print(json.dumps(measure(read_rgb(Path(sys.argv[1])))))
