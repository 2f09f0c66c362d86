"""Checkpoint -> ONNX: two encoders, and one decoder that is both prefill and decode step.

The decoder's graph takes a cache of any length, empty at first. Its attention is written out
here, because the exporter then sees plain matrix products with two free lengths instead of
transformers' cache objects; norms, projections and MLPs are the checkpoint's own modules.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from robo_refer import checkpoint_files as files
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.modeling import RoboReferForConditionalGeneration

OPSET = 18
WORTH_HALVING = 256
"""Weights of fewer numbers stay as they are: a node more would cost what they save."""


class Encoder(nn.Module):
    """One tower with its projector: (1, 3, height, width) -> (1, tokens, width)."""

    def __init__(self, tower: nn.Module, projector: nn.Module, grid: tuple[int, int]) -> None:
        super().__init__()
        self.tower, self.projector, self.grid = tower, projector, grid

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        tokens: torch.Tensor = self.projector(self.tower(pixel_values).last_hidden_state, self.grid)
        return tokens


class Decoder(nn.Module):
    """Qwen2 with an explicit cache.

    inputs_embeds (1, new, width) and cache (layers, 2, 1, heads, past, head width) ->
    logits (1, vocabulary) of the last position, and the cache with `new` more places.
    """

    def __init__(self, model: RoboReferForConditionalGeneration) -> None:
        super().__init__()
        text = model.config.text_config
        self.layers = model.model.language_model.layers
        self.norm = model.model.language_model.norm
        self.head = model.lm_head
        self.heads = text.num_attention_heads
        self.kv_heads = text.num_key_value_heads
        self.head_width = text.hidden_size // text.num_attention_heads
        theta = model.model.language_model.rotary_emb.inv_freq
        places = torch.arange(text.max_position_embeddings).float()
        angles = torch.outer(places, theta.float())
        self.register_buffer("cos", torch.cat([angles.cos()] * 2, dim=-1))
        self.register_buffer("sin", torch.cat([angles.sin()] * 2, dim=-1))

    def forward(
        self, inputs_embeds: torch.Tensor, cache: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        past, new = cache.shape[4], inputs_embeds.shape[1]
        cos, sin = self.cos[past : past + new], self.sin[past : past + new]
        places = torch.arange(past + new)
        hidden_future = places[None, :] > places[past:, None]
        bias = torch.zeros(new, past + new).masked_fill(hidden_future, -1e9)
        hidden, caches = inputs_embeds, []
        for number, layer in enumerate(self.layers):
            attended, layer_cache = self._attend(
                layer.self_attn, layer.input_layernorm(hidden), cos, sin, bias, cache[number]
            )
            hidden = hidden + attended
            hidden = hidden + layer.mlp(layer.post_attention_layernorm(hidden))
            caches.append(layer_cache)
        logits = self.head(self.norm(hidden[:, -1]))
        return logits, torch.stack(caches)

    def _attend(
        self,
        attention: Any,
        hidden: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        bias: torch.Tensor,
        cache: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        query = _rotate(self._split(attention.q_proj(hidden), self.heads), cos, sin)
        key = _rotate(self._split(attention.k_proj(hidden), self.kv_heads), cos, sin)
        value = self._split(attention.v_proj(hidden), self.kv_heads)
        key = torch.cat([cache[0], key], dim=2)
        value = torch.cat([cache[1], value], dim=2)
        longer = torch.stack([key, value])
        repeats = self.heads // self.kv_heads
        if repeats > 1:
            key = key.repeat_interleave(repeats, dim=1)
            value = value.repeat_interleave(repeats, dim=1)
        scores = query @ key.transpose(2, 3) * self.head_width**-0.5 + bias
        mixed = (scores.softmax(dim=-1) @ value).transpose(1, 2).flatten(2)
        return attention.o_proj(mixed), longer

    def _split(self, projected: torch.Tensor, heads: int) -> torch.Tensor:
        return projected.unflatten(2, (heads, self.head_width)).transpose(1, 2)


def _rotate(states: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """Apply rotary position embedding (RoFormer, halves convention of Llama and Qwen)."""
    first, second = states.chunk(2, dim=-1)
    return states * cos + torch.cat([-second, first], dim=-1) * sin


def export(checkpoint: Path, out: Path, name: str) -> list[Path]:
    """Write the ONNX engine's files for a checkpoint; return them.

    Args:
        checkpoint: folder with safetensors, tokenizer and preprocessing spec.
        out: folder to write to.
        name: what the model calls itself in a `Referral`.

    Raises:
        RoboReferError: BAD_CHECKPOINT when it cannot be loaded, or sees images in tiles.
    """
    # The exporter warns of every optional package that it does not find.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    if (checkpoint / files.TILING).is_file():
        raise RoboReferError(
            ErrorCode.BAD_CHECKPOINT,
            f"{checkpoint} sees images in tiles, which the ONNX engine does not.",
            "Use it as it is, with the extra 'torch', or serve it with vLLM.",
        )
    model, processor = load_checkpoint(checkpoint)
    model.float()
    out.mkdir(parents=True, exist_ok=True)
    inner, spec = model.model, processor.spec
    vision, depth = model.config.vision_config, model.config.depth_config
    for file, encoder in (
        (files.VISION, Encoder(inner.vision_tower, inner.vision_projector, vision.grid)),
        (files.DEPTH, Encoder(inner.depth_tower, inner.depth_projector, depth.grid)),
    ):
        _export_encoder(encoder, out / file, spec)
    cache_shape = _export_decoder(Decoder(model), out / files.DECODER)
    embeddings = inner.get_input_embeddings().weight.detach().numpy()
    np.save(out / files.EMBEDDINGS, embeddings)
    processor.tokenizer.backend_tokenizer.save(str(out / files.TOKENIZER))
    config = {"name": name, "preprocess": asdict(spec), "cache_shape": cache_shape}
    (out / files.ONNX_CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    return sorted(path for path in out.iterdir() if path.is_file())


def _finish(path: Path) -> None:
    """Make an exported file smaller, and fit to be given away."""
    model = onnx.load(str(path))
    _forget_where_it_was_made(model.graph)
    _store_as_halves(model.graph)
    onnx.save(model, str(path))


def _forget_where_it_was_made(graph: onnx.GraphProto) -> None:
    """Drop the stack traces that the exporter writes beside every node: paths of this machine."""
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")


def _store_as_halves(graph: onnx.GraphProto) -> None:
    """Store weights in float16 where that loses nothing (see `half_weights` of a training config).

    ONNX Runtime turns them into float32 when it loads the file, and computes as ever.
    """
    casts = []
    for tensor in graph.initializer:
        weights = numpy_helper.to_array(tensor)
        if weights.dtype != np.float32 or weights.size < WORTH_HALVING:
            continue
        with np.errstate(over="ignore"):
            halves = weights.astype(np.float16)
        if np.array_equal(halves.astype(np.float32), weights):
            name = tensor.name
            tensor.CopyFrom(numpy_helper.from_array(halves, f"{name}_half"))
            casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    for cast in reversed(casts):
        graph.node.insert(0, cast)


def _export_encoder(encoder: Encoder, path: Path, spec: Any) -> None:
    pixels = torch.zeros(1, 3, spec.height, spec.width)
    torch.onnx.export(
        encoder.eval(),
        (pixels,),
        str(path),
        input_names=["pixel_values"],
        output_names=["tokens"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    _finish(path)


def _export_decoder(decoder: Decoder, path: Path) -> list[int]:
    """Write the decoder; return the shape of its empty cache."""
    width = decoder.norm.weight.shape[0]
    shape = [len(decoder.layers), 2, 1, decoder.kv_heads, 5, decoder.head_width]
    new = torch.export.Dim("new", min=1, max=768)
    past = torch.export.Dim("past", min=0, max=1024)
    torch.onnx.export(
        decoder.eval(),
        (torch.zeros(1, 7, width), torch.zeros(shape)),
        str(path),
        input_names=["inputs_embeds", "cache"],
        output_names=["logits", "longer_cache"],
        dynamic_shapes={"inputs_embeds": {1: new}, "cache": {4: past}},
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    _finish(path)
    return [*shape[:4], 0, shape[5]]
