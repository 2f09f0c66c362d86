"""nano's vision tower: a convolutional stem in front of SigLIP's transformer encoder."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import AutoModel, PreTrainedModel, SiglipVisionConfig
from transformers.modeling_outputs import BaseModelOutput
from transformers.models.siglip.modeling_siglip import SiglipEncoderLayer

from robo_refer.model.configuration import RoboReferTowerConfig


class ConvStem(nn.Module):
    """(batch, channels, height, width) -> (batch, hidden, height / 8, width / 8)."""

    def __init__(self, config: RoboReferTowerConfig) -> None:
        super().__init__()
        first, second = config.stem_channels
        self.layers = nn.Sequential(
            nn.Conv2d(config.num_channels, first, 3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(first, second, 3, stride=2, padding=1),
            nn.GroupNorm(1, second),
            nn.GELU(),
            nn.Conv2d(second, second, 3, padding=1),
            nn.GroupNorm(1, second),
            nn.GELU(),
            nn.Conv2d(second, config.hidden_size, 3, stride=2, padding=1),
        )

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.layers(pixel_values)
        return features


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
        self.position_embedding = nn.Parameter(torch.zeros(1, rows * columns, config.hidden_size))
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
        elif isinstance(module, RoboReferTower):
            nn.init.trunc_normal_(module.position_embedding, std=0.02)

    def forward(self, pixel_values: torch.Tensor, **kwargs: Any) -> BaseModelOutput:
        hidden = self.stem(pixel_values).flatten(2).transpose(1, 2) + self.position_embedding
        for layer in self.layers:
            output = layer(hidden, attention_mask=None)
            hidden = output[0] if isinstance(output, tuple) else output
        return BaseModelOutput(last_hidden_state=self.norm(hidden))


AutoModel.register(RoboReferTowerConfig, RoboReferTower)
