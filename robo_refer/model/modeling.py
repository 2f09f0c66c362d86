"""The RoboRefer model as a normal Hugging Face model.

Depth is fused in the inner `RoboReferModel`, not in the head class: trainers that compute the
head themselves (TRL's fused language-model head calls the base model directly) would otherwise
train without depth and never say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import AutoModel, AutoModelForImageTextToText, GenerationMixin, PreTrainedModel
from transformers.cache_utils import Cache
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.sight import Sight


@dataclass
class RoboReferModelOutput(BaseModelOutputWithPast):
    """Hidden states of the decoder, and the RGB tower's features that training heads read.

    Attributes:
        image_features, depth_features: (images, patches, channels), before the projectors; None
            after prefill, or where there is no depth.
    """

    image_features: torch.Tensor | None = None
    depth_features: torch.Tensor | None = None


class RoboReferPreTrainedModel(PreTrainedModel):
    config_class = RoboReferConfig
    base_model_prefix = "model"
    main_input_name = "input_ids"
    supports_gradient_checkpointing = True
    _supports_sdpa = True
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)


class RoboReferModel(Sight, RoboReferPreTrainedModel):
    """Towers, projectors and decoder without the head."""

    def __init__(self, config: RoboReferConfig) -> None:
        super().__init__(config)
        self.build_sight(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def embed(
        self,
        input_ids: torch.Tensor,
        image_tokens: torch.Tensor | None = None,
        depth_tokens: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (batch, length, width): words, with features in the places of their token."""
        embeds = self.get_input_embeddings()(input_ids)
        if image_tokens is not None:
            embeds = _fill(embeds, input_ids, self.config.image_token_id, image_tokens)
        if depth_tokens is not None:
            embeds = _fill(embeds, input_ids, self.config.depth_token_id, depth_tokens)
        return embeds

    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        pixel_values: torch.Tensor | None = None,
        depth_values: torch.Tensor | None = None,
        depth_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        use_cache: bool | None = None,
        image_grids: torch.Tensor | None = None,
        depth_grids: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> RoboReferModelOutput:
        """Run the decoder over text with image and depth features in their placeholders.

        Args:
            input_ids: (batch, length), with one `<image>` per RGB token and one `<depth>` per
                depth token; a sample without depth simply has no `<depth>`.
            pixel_values: (images, 3, height, width), in the order of their tokens.
            depth_values: (rows, 3, height, width). With `depth_mask` there is one row per
                sample and only the rows that it marks are used, so that a trainer may slice
                by sample; without it every row is used.
            depth_mask: (batch,) bool, which samples have depth.
            attention_mask: (batch, length), or a (batch, 1, length, length) bool mask where
                several questions share one image.
            image_grids, depth_grids: (images, 2), rows and columns of tiles of each image's last
                scale, where the model joins scales; `pixel_values` are then tiles.
        """
        image_features = depth_features = None
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        if pixel_values is not None:
            tokens, image_features = self.image_tokens(pixel_values, image_grids)
            inputs_embeds = _fill(inputs_embeds, input_ids, self.config.image_token_id, tokens)
        if depth_values is not None and depth_mask is not None:
            depth_values = depth_values[depth_mask.bool()]
        if depth_values is not None and len(depth_values):
            tokens, depth_features = self.depth_tokens(depth_values, depth_grids)
            inputs_embeds = _fill(inputs_embeds, input_ids, self.config.depth_token_id, tokens)
        output = self.language_model(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            **kwargs,
        )
        return RoboReferModelOutput(
            last_hidden_state=output.last_hidden_state,
            past_key_values=output.past_key_values,
            hidden_states=output.hidden_states,
            attentions=output.attentions,
            image_features=image_features,
            depth_features=depth_features,
        )


class RoboReferForConditionalGeneration(RoboReferPreTrainedModel, GenerationMixin):
    """The model with its language-model head; `generate()` answers in the grammar of the docs."""

    _tied_weights_keys = {  # noqa: RUF012 - transformers' own name and form
        "lm_head.weight": "model.language_model.embed_tokens.weight"
    }

    def __init__(self, config: RoboReferConfig) -> None:
        super().__init__(config)
        self.model = RoboReferModel(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        return self.lm_head

    def set_output_embeddings(self, value: nn.Linear) -> None:
        self.lm_head = value

    def forward(
        self,
        input_ids: torch.LongTensor | None = None,
        pixel_values: torch.Tensor | None = None,
        depth_values: torch.Tensor | None = None,
        depth_mask: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        position_ids: torch.LongTensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: torch.Tensor | None = None,
        labels: torch.LongTensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | torch.Tensor = 0,
        image_grids: torch.Tensor | None = None,
        depth_grids: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Return logits (and the loss where `labels` are given); inputs as in the inner model."""
        output = self.model(
            input_ids=input_ids,
            pixel_values=pixel_values,
            depth_values=depth_values,
            depth_mask=depth_mask,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            use_cache=use_cache,
            image_grids=image_grids,
            depth_grids=depth_grids,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(output.last_hidden_state[:, kept, :])
        loss = None
        if labels is not None:
            loss = self.loss_function(
                logits=logits,
                labels=labels,
                vocab_size=self.config.text_config.vocab_size,
                **kwargs,  # how many words a batch of several passes has
            )
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=output.past_key_values,
            hidden_states=output.hidden_states,
            attentions=output.attentions,
        )

    def _expand_inputs_for_generation(
        self, expand_size: int = 1, **kwargs: Any
    ) -> tuple[torch.LongTensor, dict[str, Any]]:
        """Repeat the inputs for several answers to each prompt; transformers repeats row by row.

        Raises:
            RoboReferError: BAD_REQUEST where rows of pixels are tiles: repeated one by one, they
                would be those of other images, and nothing would tell.
        """
        if expand_size > 1 and kwargs.get("image_grids") is not None:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "Several answers at once to a prompt whose image is tiles are not supported.",
                "Give the sample to the processor as many times as you want answers.",
            )
        return super()._expand_inputs_for_generation(expand_size=expand_size, **kwargs)

    def prepare_inputs_for_generation(
        self,
        input_ids: torch.LongTensor,
        pixel_values: torch.Tensor | None = None,
        depth_values: torch.Tensor | None = None,
        depth_mask: torch.Tensor | None = None,
        inputs_embeds: torch.Tensor | None = None,
        is_first_iteration: bool | None = False,
        image_grids: torch.Tensor | None = None,
        depth_grids: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Pass the images on in the prefill only: afterwards they live in the cache."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids,
            inputs_embeds=inputs_embeds,
            is_first_iteration=is_first_iteration,
            **kwargs,
        )
        if is_first_iteration or not kwargs.get("use_cache", True):
            inputs["pixel_values"] = pixel_values
            inputs["depth_values"] = depth_values
            inputs["depth_mask"] = depth_mask
            inputs["image_grids"] = image_grids
            inputs["depth_grids"] = depth_grids
        return inputs


def _fill(
    embeds: torch.Tensor, input_ids: torch.Tensor | None, token_id: int, features: torch.Tensor
) -> torch.Tensor:
    """Put the features into the places of their placeholder token.

    Raises:
        RoboReferError: BAD_REQUEST when places and features do not match one to one.
    """
    if input_ids is None:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "Images were given with inputs_embeds but without input_ids.",
            "Give input_ids, so that the places of the image tokens are known.",
        )
    places = input_ids == token_id
    if int(places.sum()) != features.shape[0] * features.shape[1]:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"The prompt has {int(places.sum())} places for token {token_id} but the features "
            f"are {features.shape[0]} x {features.shape[1]}.",
            "Build prompts with the processor.",
        )
    flat = features.reshape(-1, features.shape[-1]).to(embeds.dtype)
    return embeds.masked_scatter(places.unsqueeze(-1).expand_as(embeds), flat)


AutoModel.register(RoboReferConfig, RoboReferModel)
AutoModelForImageTextToText.register(RoboReferConfig, RoboReferForConditionalGeneration)
