"""The half of the model that sees: two towers and their projectors, pixels to tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model import tower as _tower  # noqa: F401 - registers nano's tower
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.projector import Projector
from robo_refer.model.scales import join_scales, stitch


class Sight(nn.Module):
    """What any decoder, in this package or in an engine that has its own, is put behind."""

    config: RoboReferConfig

    def build_sight(self, config: RoboReferConfig) -> None:
        """Make the towers and projectors; `__init__` belongs to the class that this is part of."""
        self.vision_tower = AutoModel.from_config(config.vision_config)
        self.depth_tower = AutoModel.from_config(config.depth_config)
        self.vision_projector = _projector(config, config.vision_config)
        self.depth_projector = _projector(config, config.depth_config)

    def tower_features(self, tower: PreTrainedModel, pixels: torch.Tensor) -> torch.Tensor:
        """Return (images, patches, channels) of the configured layer."""
        layer = self.config.feature_layer
        if layer == -1:
            return tower(pixel_values=pixels).last_hidden_state
        return tower(pixel_values=pixels, output_hidden_states=True).hidden_states[layer]

    def image_tokens(
        self, pixel_values: torch.Tensor, grids: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (images, tokens, width) and the features they came from; see `_tokens`."""
        features = self.tower_features(self.vision_tower, pixel_values)
        config = self.config.vision_config
        return self._tokens(self.vision_projector, features, config, grids), features

    def depth_tokens(
        self, depth_values: torch.Tensor, grids: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (depth maps, tokens, width) and the features they came from; see `_tokens`."""
        features = self.tower_features(self.depth_tower, depth_values)
        config = self.config.depth_config
        return self._tokens(self.depth_projector, features, config, grids), features

    def _tokens(
        self,
        projector: Projector,
        features: torch.Tensor,
        config: Any,
        grids: torch.Tensor | None,
    ) -> torch.Tensor:
        """Return (images, tokens, width), or (1, all tokens, width) where scales are joined.

        Raises:
            RoboReferError: BAD_REQUEST when scales are to be joined and no grids are given.
        """
        if not self.config.s2_scales:
            return projector(features, _grid(config))
        if grids is None:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "This model joins several scales of an image, but no image_grids are given.",
                "Build batches with the processor.",
            )
        squares = [scale // config.image_size for scale in self.config.s2_scales[:-1]]
        shapes = [(int(rows), int(columns)) for rows, columns in grids]
        counts = [sum(side * side for side in squares) + r * c for r, c in shapes]
        tokens = []
        for part, shape in zip(features.split(counts), shapes, strict=True):
            tiles = projector(join_scales(part, squares, shape), _grid(config))
            tokens.append(stitch(tiles, shape).flatten(0, 1))
        return torch.cat(tokens)[None]


def _projector(config: RoboReferConfig, tower: Any) -> Projector:
    channels = tower.hidden_size * max(1, len(config.s2_scales))
    return Projector(channels, config.text_config.hidden_size, config.merge, config.projector_norm)


def _grid(config: Any) -> tuple[int, int]:
    """Return rows and columns of a tower's features."""
    if hasattr(config, "grid"):
        return config.grid
    side = config.image_size // config.patch_size
    return side, side
