"""TiledProcessor: image, depth and text in; tensors for the converted 2B and 8B out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from robo_refer import chat, tokens
from robo_refer import checkpoint_files as files
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.frame_processor import FrameProcessor
from robo_refer.relative_depth import relative_depth
from robo_refer.tiling import Grid, TilingSpec, cut_tiles, tile_pixels
from robo_refer.types import FloatArray

Depth = FloatArray | NDArray[np.uint8]
"""(height, width) float in metres, or (height, width, 3) uint8 relative depth, near bright."""


@dataclass(frozen=True, eq=False)
class TiledImage:
    """One image or depth map as its tower sees it.

    Attributes:
        pixels: (tiles, 3, side, side) in [-1, 1].
        grid: rows and columns of its grid.
    """

    pixels: torch.Tensor
    grid: Grid


class TiledProcessor(FrameProcessor):
    """That of the converted 2B and 8B: images in tiles, and a chat.

    Args:
        tokenizer: the released one, with its chat template.
        spec: how images are cut.
    """

    tokenizer_class = "AutoTokenizer"
    tokenizer_type = AutoTokenizer
    spec_type = TilingSpec
    spec_file = files.TILING
    spec: TilingSpec

    def __init__(self, tokenizer: PreTrainedTokenizerBase, spec: TilingSpec) -> None:
        super().__init__(tokenizer, spec)
        self._image, self._depth = tokenizer.convert_tokens_to_ids([tokens.IMAGE, tokens.DEPTH])
        self._words = [word.content for word in tokenizer.added_tokens_decoder.values()]
        self._end = tokenizer("\n", add_special_tokens=False)["input_ids"]

    def pixels(
        self, images: Sequence[NDArray[np.uint8]], depth: Sequence[Depth | None]
    ) -> dict[str, torch.Tensor]:
        """Return pixel_values and image_grids, and the same for depth where there is any.

        `pixel_values` and `depth_values` hold the tiles of all samples, one after the other.

        Args:
            images: (height, width, 3) uint8.
            depth: see `Depth`, or None.
        """
        seen = [self.tile(image) for image in images]
        maps = [self.tile(depth_picture(one)) for one in depth if one is not None]
        data = {
            "pixel_values": torch.cat([rgb.pixels for rgb in seen]),
            "image_grids": torch.tensor([rgb.grid for rgb in seen]),
        }
        if maps:
            data["depth_values"] = torch.cat([one.pixels for one in maps])
            data["depth_grids"] = torch.tensor([one.grid for one in maps])
        return data

    def tile(self, picture: NDArray[np.uint8]) -> TiledImage:
        """Return the tiles of a (height, width, 3) image or relative depth map."""
        pixels = torch.from_numpy(tile_pixels(cut_tiles(picture, self.spec)))
        return TiledImage(pixels, self._grid(picture))

    def _grid(self, picture: Depth) -> Grid:
        return self.spec.grid(picture.shape[1], picture.shape[0])

    def prompt(
        self,
        instruction: str,
        image: NDArray[np.uint8],
        depth: Depth | None = None,
        reason: bool = False,
    ) -> list[int]:
        """See `FrameProcessor.prompt`; raises what `prompt_ids` raises."""
        depths = [] if depth is None else [self._grid(depth)]
        return self.prompt_ids(self.question(instruction, reason), [self._grid(image)], depths)

    def question(self, instruction: str, reason: bool = False) -> str:
        """Return an instruction with the format of its answer; see `chat.question`."""
        return chat.question(instruction, reason=reason, special=self._words)

    def prompt_ids(
        self, text: str, images: Sequence[Grid], depths: Sequence[Grid] = ()
    ) -> list[int]:
        """Return the ids of a whole prompt, one placeholder id for each feature.

        Args:
            text: the question, with its format.
            images, depths: grids of what it is about; as many depths as images, or none.

        Raises:
            RoboReferError: BAD_REQUEST when it is longer than the model reads.
        """
        counts = [[self.spec.tiles(grid) for grid in grids] for grids in (images, depths)]
        content = chat.message(text, self.spec, *counts)
        written = self.tokenizer.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        ids = self.tokenizer(written, add_special_tokens=False)["input_ids"]
        lengths = {self._image: self._lengths(images), self._depth: self._lengths(depths)}
        expanded = chat.expand(ids, lengths, self._end)
        if len(expanded) > self.spec.max_length:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"The prompt has {len(expanded)} tokens; the model reads {self.spec.max_length}.",
                "Ask about fewer images at once.",
            )
        return expanded

    def _lengths(self, images: Sequence[Grid]) -> list[int]:
        """Return the number of features behind every placeholder of all images."""
        return [count for grid in images for count in self.features_of(grid)]

    def features_of(self, grid: Grid) -> list[int]:
        """Return the number of features behind every placeholder of one image."""
        if self.spec.tiling == "dynamic":
            return [self.spec.tile_tokens] * self.spec.tiles(grid)
        return [self.spec.tile_tokens * grid[0] * grid[1]]


def depth_picture(depth: Depth) -> NDArray[np.uint8]:
    """Return the (height, width, 3) uint8 relative depth that the depth tower was trained on.

    Args:
        depth: metres, which become relative by the contract of `robo_refer.relative_depth`, or a
            picture that is relative already.

    Raises:
        RoboReferError: BAD_DEPTH when no pixel is measured, or it is neither of the two.
    """
    if depth.dtype == np.uint8 and depth.ndim == 3 and depth.shape[2] == 3:
        return depth.astype(np.uint8, copy=False)
    if depth.ndim != 2 or not np.issubdtype(depth.dtype, np.floating):
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            f"Depth is {depth.shape} {depth.dtype}, neither metres nor a relative picture.",
            "Give (height, width) float metres, or (height, width, 3) uint8 with near bright.",
        )
    relative = relative_depth(depth.astype(np.float32))
    if relative is None:
        raise RoboReferError(
            ErrorCode.BAD_DEPTH,
            "Not one depth pixel is measured.",
            "Check the unit and the sensor, or leave depth out.",
        )
    return np.repeat(relative[..., None], 3, axis=2)
