"""nano's vision tower: a residual convolutional stem in front of SigLIP's encoder layers."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel, PreTrainedModel, SiglipVisionConfig
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.siglip.modeling_siglip import SiglipEncoderLayer

from robo_refer.model.configuration import RoboReferTowerConfig


class StandardConv(nn.Module):
    """A 3x3 convolution whose filters are kept at zero mean and equal norm.

    Weight standardisation (Qiao et al. 2019) in place of norms between layers, as in NF-ResNets
    (Brock et al. 2021): an image's features depend on no other image, a frozen tower is frozen, and
    what an engine runs is a plain convolution. The filters are rows of one matrix, so that an
    optimiser for matrices takes them as they are.
    """

    RELU_GAIN = math.sqrt(2 / (1 - 1 / math.pi))
    """What keeps unit variance behind a ReLU and zero-mean filters."""

    def __init__(
        self, before: int, after: int, *, stride: int = 1, gain: float = RELU_GAIN
    ) -> None:
        super().__init__()
        self.shape, self.stride, self.initial_gain = (after, before, 3, 3), stride, gain
        self.weight = nn.Parameter(torch.empty(after, before * 9))
        self.gain = nn.Parameter(torch.empty(after, 1))
        self.bias = nn.Parameter(torch.empty(after))
        self.reset()

    def reset(self) -> None:
        """Draw the filters anew."""
        nn.init.normal_(self.weight, std=self.weight.shape[1] ** -0.5)
        nn.init.constant_(self.gain, self.initial_gain)
        nn.init.zeros_(self.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        centred = self.weight - self.weight.mean(dim=1, keepdim=True)
        filters = centred * (self.gain / (centred.norm(dim=1, keepdim=True) + 1e-5))
        return functional.conv2d(
            features, filters.view(self.shape), self.bias, stride=self.stride, padding=1
        )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a skip connection; starts as the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = StandardConv(channels, channels)
        self.second = StandardConv(channels, channels, gain=0.0)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return functional.relu(features + self.second(functional.relu(self.first(features))))


class ConvStem(nn.Module):
    """(batch, channels, height, width) -> (batch, hidden, height / 8, width / 8)."""

    def __init__(self, config: RoboReferTowerConfig) -> None:
        super().__init__()
        channels = (config.num_channels, *config.stem_channels, config.hidden_size)
        self.halvings = nn.ModuleList(
            StandardConv(before, after, stride=2) for before, after in pairwise(channels)
        )
        self.blocks = nn.ModuleList(
            nn.ModuleList(ResidualBlock(after) for _ in range(count))
            for after, count in zip(channels[1:], config.stem_blocks, strict=True)
        )

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        features = pixel_values.to(self.halvings[0].weight.dtype)
        for halve, blocks in zip(self.halvings, self.blocks, strict=True):
            features = functional.relu(halve(features))
            for block in blocks:
                features = block(features)
        return features


def waves(rows: int, columns: int, channels: int) -> torch.Tensor:
    """Return (1, rows * columns, channels): sines and cosines of y, then of x.

    Half a wave over the image up to one wave over two cells, in even ratios.
    """
    quarter = channels // 4
    parts = []
    for count, other, axis in ((rows, columns, 0), (columns, rows, 1)):
        place = (torch.arange(count) + 0.5) / count
        frequency = torch.pi * torch.logspace(0, math.log10(count), quarter)
        angle = place[:, None] * frequency
        wave = torch.cat([angle.sin(), angle.cos()], dim=1)
        wave = (
            wave[:, None].expand(count, other, -1) if axis == 0 else wave.expand(other, count, -1)
        )
        parts.append(wave)
    return torch.cat(parts, dim=2).reshape(1, rows * columns, 4 * quarter)


class RoboReferTower(PreTrainedModel):
    """Pixels (batch, channels, height, width) -> features (batch, rows * columns, hidden)."""

    config_class = RoboReferTowerConfig
    main_input_name = "pixel_values"
    base_model_prefix = "tower"
    supports_gradient_checkpointing = False
    _supports_sdpa = True
    _no_split_modules = ["SiglipEncoderLayer"]  # noqa: RUF012 - transformers' own name and form

    def __init__(self, config: RoboReferTowerConfig) -> None:
        super().__init__(config)
        rows, columns = config.grid
        self.stem = ConvStem(config)
        # Learnt, but from waves as large as the features: the decoder reads coordinates off the
        # tokens themselves, and a small random start takes thousands of steps to say where it is.
        self.position_embedding = nn.Parameter(waves(rows, columns, config.hidden_size))
        encoder_config = SiglipVisionConfig(
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_attention_heads=config.num_attention_heads,
            num_hidden_layers=config.num_hidden_layers,
            attn_implementation="sdpa",
        )
        self.layers = nn.ModuleList(
            SiglipEncoderLayer(encoder_config) for _ in range(config.num_hidden_layers)
        )
        self.norm = nn.LayerNorm(config.hidden_size)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, StandardConv):
            module.reset()
        elif isinstance(module, RoboReferTower):
            rows, columns = module.config.grid
            with torch.no_grad():
                module.position_embedding.copy_(waves(rows, columns, module.config.hidden_size))

    def forward(self, pixel_values: torch.Tensor, **kwargs: Any) -> BaseModelOutput:
        hidden = self.stem(pixel_values).flatten(2).transpose(1, 2) + self.position_embedding
        for layer in self.layers:
            output = layer(hidden, attention_mask=None)
            hidden = output[0] if isinstance(output, tuple) else output
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


AutoModel.register(RoboReferTowerConfig, RoboReferTower)
