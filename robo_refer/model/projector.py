"""The projector: merges a square of patches into one token of the language model's width."""

from __future__ import annotations

import torch
from torch import nn


class Projector(nn.Module):
    """(batch, rows * columns, channels) -> (batch, tokens, text width).

    The published forms: merge 2 with one hidden layer ("mlp_downsample", 8B and nano), merge 3
    with two LayerNorms and three linear layers ("mlp_downsample_3x3_fix", 2B). A grid that does
    not divide is padded with zeros at the bottom and right.
    """

    def __init__(self, channels: int, text_width: int, merge: int, norm: bool) -> None:
        super().__init__()
        self.merge = merge
        merged = channels * merge * merge
        if norm:
            self.layers = nn.Sequential(
                nn.LayerNorm(merged),
                nn.Linear(merged, channels * merge),
                nn.GELU(),
                nn.LayerNorm(channels * merge),
                nn.Linear(channels * merge, text_width),
                nn.GELU(),
                nn.Linear(text_width, text_width),
            )
        else:
            self.layers = nn.Sequential(
                nn.LayerNorm(merged),
                nn.Linear(merged, text_width),
                nn.GELU(),
                nn.Linear(text_width, text_width),
            )

    def forward(self, features: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
        rows, columns = grid
        merge = self.merge
        batch, _, channels = features.shape
        image = features.reshape(batch, rows, columns, channels)
        pad_rows, pad_columns = -rows % merge, -columns % merge
        if pad_rows or pad_columns:
            image = nn.functional.pad(image, (0, 0, 0, pad_columns, 0, pad_rows))
        tall, wide = (rows + pad_rows) // merge, (columns + pad_columns) // merge
        image = image.reshape(batch, tall, merge, wide, merge, channels)
        squares = image.permute(0, 1, 3, 2, 4, 5).reshape(
            batch, tall * wide, merge * merge * channels
        )
        tokens: torch.Tensor = self.layers(squares)
        return tokens
