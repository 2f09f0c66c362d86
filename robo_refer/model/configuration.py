"""Configuration of the RoboRefer architecture: two towers, a projector each, a language model."""

from __future__ import annotations

from typing import Any

from transformers import AutoConfig, PretrainedConfig


class RoboReferTowerConfig(PretrainedConfig):
    """nano's vision tower: a residual convolutional stem, then SigLIP's own encoder layers.

    Convolutions know that pixels have neighbours; from the few images that a CPU can train on,
    they learn what things look like much sooner than patches and attention alone.

    Args:
        image_size: (height, width) of the canvas, multiples of 8.
        stem_channels: channels after the first and the second halving of the image.
        stem_blocks: residual blocks after each of the three halvings.
        hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: the encoder.
    """

    model_type = "robo_refer_tower"

    def __init__(
        self,
        image_size: tuple[int, int] = (144, 192),
        num_channels: int = 3,
        stem_channels: tuple[int, int] = (32, 64),
        stem_blocks: tuple[int, int, int] = (0, 1, 2),
        hidden_size: int = 128,
        num_hidden_layers: int = 1,
        num_attention_heads: int = 4,
        intermediate_size: int = 512,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_size = tuple(image_size)
        self.num_channels = num_channels
        self.stem_channels = tuple(stem_channels)
        self.stem_blocks = tuple(stem_blocks)
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.intermediate_size = intermediate_size

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of features."""
        return self.image_size[0] // 8, self.image_size[1] // 8


class RoboReferConfig(PretrainedConfig):
    """The whole model (paper section 3.1): RGB tower, depth tower, projectors, decoder.

    Args:
        vision_config, depth_config, text_config: any `transformers` configs. The depth tower is
            of the same kind as the RGB tower but has its own weights.
        feature_layer: which hidden state of the towers is read (-2 for SigLIP, -1 for nano).
        merge: side of the square of patches that the projector merges into one token.
        projector_norm: whether the projector has the second LayerNorm and third linear layer of
            the released 2B ("mlp_downsample_3x3_fix").
        s2_scales: sides in pixels of the scales whose features are joined (8B); none: every tile
            is for itself.
        image_token_id, depth_token_id: placeholders that features replace.
    """

    model_type = "robo_refer"
    sub_configs = {  # noqa: RUF012 - the name and form that transformers reads
        "vision_config": AutoConfig,
        "depth_config": AutoConfig,
        "text_config": AutoConfig,
    }

    def __init__(
        self,
        vision_config: dict[str, Any] | PretrainedConfig | None = None,
        depth_config: dict[str, Any] | PretrainedConfig | None = None,
        text_config: dict[str, Any] | PretrainedConfig | None = None,
        feature_layer: int = -1,
        merge: int = 2,
        projector_norm: bool = False,
        s2_scales: tuple[int, ...] = (),
        image_token_id: int = 2,
        depth_token_id: int = 3,
        **kwargs: Any,
    ) -> None:
        self.vision_config = _sub_config(vision_config, "robo_refer_tower")
        self.depth_config = _sub_config(depth_config, "robo_refer_tower")
        self.text_config = _sub_config(text_config, "qwen2")
        self.feature_layer = feature_layer
        self.merge = merge
        self.projector_norm = projector_norm
        self.s2_scales = tuple(s2_scales)
        self.image_token_id = image_token_id
        self.depth_token_id = depth_token_id
        kwargs.setdefault("tie_word_embeddings", self.text_config.tie_word_embeddings)
        super().__init__(**kwargs)


def _sub_config(
    config: dict[str, Any] | PretrainedConfig | None, default_type: str
) -> PretrainedConfig:
    if isinstance(config, PretrainedConfig):
        return config
    fields = dict(config or {})
    return AutoConfig.for_model(fields.pop("model_type", default_type), **fields)


AutoConfig.register("robo_refer_tower", RoboReferTowerConfig)
AutoConfig.register("robo_refer", RoboReferConfig)
