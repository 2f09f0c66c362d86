"""Checkpoint -> ONNX: two encoders, and one decoder that is both prefill and decode step."""

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
from robo_refer import tokens
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.decoder_graph import OPSET, decoder_graph
from robo_refer.model.loading import load_checkpoint

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


def export(checkpoint: Path, out: Path, name: str) -> list[Path]:
    """Write the ONNX engine's files for a checkpoint; return them.

    Args:
        checkpoint: folder with safetensors, tokenizer and preprocessing spec.
        out: folder to write to.
        name: what the model calls itself in a `Referral`.

    Raises:
        RoboReferError: BAD_CHECKPOINT when it cannot be loaded, sees images in tiles, or has a
            decoder that `decoder_graph` refuses.
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
    inner, spec = model.model, processor.spec
    decoder = decoder_graph(model, tokens.room(spec.image_tokens + spec.depth_tokens))
    out.mkdir(parents=True, exist_ok=True)
    vision, depth = model.config.vision_config, model.config.depth_config
    for file, encoder in (
        (files.VISION, Encoder(inner.vision_tower, inner.vision_projector, vision.grid)),
        (files.DEPTH, Encoder(inner.depth_tower, inner.depth_projector, depth.grid)),
    ):
        _export_encoder(encoder, out / file, spec)
    _save(decoder, out / files.DECODER)
    embeddings = inner.get_input_embeddings().weight.detach().numpy()
    np.save(out / files.EMBEDDINGS, embeddings)
    processor.tokenizer.backend_tokenizer.save(str(out / files.TOKENIZER))
    config = {"name": name, "preprocess": asdict(spec)}
    (out / files.ONNX_CONFIG).write_text(json.dumps(config, indent=1) + "\n")
    return sorted(path for path in out.iterdir() if path.is_file())


def _save(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph small, and fit to be given away."""
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
    _save(onnx.load(str(path)), path)
