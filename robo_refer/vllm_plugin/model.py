"""The architecture in vLLM: our towers and projectors in front of vLLM's own Qwen2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsMultiModal
from vllm.model_executor.models.utils import (
    AutoWeightsLoader,
    WeightsMapper,
    init_vllm_registered_model,
    maybe_prefix,
)
from vllm.multimodal import MULTIMODAL_REGISTRY

from robo_refer.model.sight import Sight
from robo_refer.tokens import IMAGE
from robo_refer.vllm_plugin.processing import (
    RoboReferDummyInputs,
    RoboReferInfo,
    RoboReferProcessing,
)


@MULTIMODAL_REGISTRY.register_processor(
    RoboReferProcessing, info=RoboReferInfo, dummy_inputs=RoboReferDummyInputs
)
class RoboReferForVllm(Sight, SupportsMultiModal):
    """Reads converted checkpoints; the decoder, its cache and its batching are vLLM's."""

    hf_to_vllm_mapper = WeightsMapper(
        orig_to_new_prefix={
            "model.language_model.": "language_model.model.",
            "lm_head.": "language_model.lm_head.",
            "model.": "",
        }
    )

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        return IMAGE

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        self.config = vllm_config.model_config.hf_config
        self.configure_mm_token_handling(
            vocab_size=self.config.text_config.vocab_size,
            mm_token_ids=[self.config.image_token_id, self.config.depth_token_id],
        )
        with self._mark_tower_model(vllm_config, "image"):
            self.build_sight(self.config)
        with self._mark_language_model(vllm_config):
            self.language_model = init_vllm_registered_model(
                vllm_config=vllm_config,
                hf_config=self.config.text_config,
                prefix=maybe_prefix(prefix, "language_model"),
                architectures=["Qwen2ForCausalLM"],
            )
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors

    def embed_multimodal(self, **kwargs: Any) -> list[torch.Tensor]:
        """Return, for every image, the (tokens, width) of its colour and then of its depth."""
        pixels = kwargs.get("pixel_values")
        if pixels is None:
            return []
        pixels = torch.cat(list(pixels)) if isinstance(pixels, list) else pixels
        embeddings, start = [], 0
        for (tiles, depth_tiles), grid in zip(kwargs["tile_counts"], kwargs["grids"], strict=True):
            middle, end = start + int(tiles), start + int(tiles + depth_tiles)
            tokens = [self.image_tokens(pixels[start:middle], grid[None])[0].flatten(0, 1)]
            if depth_tiles:
                tokens.append(self.depth_tokens(pixels[middle:end], grid[None])[0].flatten(0, 1))
            embeddings.append(torch.cat(tokens))
            start = end
        return embeddings

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: object,
    ) -> torch.Tensor:
        return self.language_model.model(
            input_ids, positions, intermediate_tensors, inputs_embeds=inputs_embeds
        )

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        return self.language_model.compute_logits(hidden_states)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        return AutoWeightsLoader(self).load_weights(weights, mapper=self.hf_to_vllm_mapper)
