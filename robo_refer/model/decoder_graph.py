"""The decoder as an ONNX graph of ONNX Runtime's own operators for language models.

What torch's exporter makes of a decoder is some 400 small operators and a cache that every step
copies as a whole. Here a layer is a dozen operators, and its attention (`GroupQueryAttention`)
turns queries and keys, masks what comes later, and writes new keys and values into the cache
where it lies. See ONNX Runtime's list of contributed operators.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.modeling import RoboReferForConditionalGeneration

OPSET = 18
IR_VERSION = 10
"""What ONNX Runtime 1.20 reads, too."""

RUNTIME = "com.microsoft"
"""Where ONNX Runtime keeps its own operators."""

HEAD_WIDTHS = 16
"""Its attention turns heads whose width is a multiple of this."""


def decoder_graph(model: RoboReferForConditionalGeneration, room: int) -> onnx.ModelProto:
    """Return the graph of a model's Qwen2 decoder with its head, for a batch of one.

    Inputs:
        inputs_embeds: (1, new, width), what follows the `past` tokens in the cache.
        last_place: (1,), int32: past + new - 1.
        length: (1,), int32: past + new.
        past_key_N, past_value_N: (1, key-value heads, room, head width) for every layer N.

    Outputs:
        logits: (1, vocabulary), of the last token.
        present_key_N, present_value_N: the same caches with `new` more tokens. They must be bound
            to the memory of the inputs; nothing is copied then.

    Args:
        model: any that this architecture composes, with the limits below.
        room: how many tokens the cache holds.

    Raises:
        RoboReferError: BAD_CHECKPOINT for a decoder that ONNX Runtime's operators do not know.
    """
    _check(model.config.text_config)
    text, decoder = model.config.text_config, model.model.language_model
    graph = _Graph(eps=text.rms_norm_eps)
    rotary = decoder.rotary_emb
    angles = torch.outer(torch.arange(room).float(), rotary.inv_freq.float())
    cos, sin = (
        graph.constant(name, rotary.attention_scaling * wave)
        for name, wave in (("cos", angles.cos()), ("sin", angles.sin()))
    )
    head_width = _head_width(text)
    cache = [1, text.num_key_value_heads, room, head_width]
    inputs = [
        ("inputs_embeds", TensorProto.FLOAT, [1, "new", text.hidden_size]),
        ("last_place", TensorProto.INT32, [1]),
        ("length", TensorProto.INT32, [1]),
    ]
    outputs = [("logits", TensorProto.FLOAT, [1, text.vocab_size])]

    stream, added = "inputs_embeds", ""
    for number, layer in enumerate(decoder.layers):
        graph.scope = f"layer_{number}"
        stream, normed = graph.norm(layer.input_layernorm, stream, added)
        attention, mlp = layer.self_attn, layer.mlp
        together = graph.linear([attention.q_proj, attention.k_proj, attention.v_proj], normed)
        past = f"past_key_{number}", f"past_value_{number}"
        attended = graph.operator(
            "GroupQueryAttention",
            [together, "", "", *past, "last_place", "length", cos, sin],
            [graph.own("attended"), f"present_key_{number}", f"present_value_{number}"],
            domain=RUNTIME,
            num_heads=text.num_attention_heads,
            kv_num_heads=text.num_key_value_heads,
            scale=head_width**-0.5,
            do_rotary=1,
        )
        for name in ("key", "value"):
            inputs.append((f"past_{name}_{number}", TensorProto.FLOAT, cache))
            outputs.append((f"present_{name}_{number}", TensorProto.FLOAT, cache))
        if number == len(decoder.layers) - 1:  # only what is behind the last token is asked for
            attended, stream = graph.last_token(attended), graph.last_token(stream)
        added = graph.linear([attention.o_proj], attended)
        stream, normed = graph.norm(layer.post_attention_layernorm, stream, added)
        gate, up = graph.linear([mlp.gate_proj], normed), graph.linear([mlp.up_proj], normed)
        gated = graph.operator("Mul", [gate, graph.operator("Sigmoid", [gate])])
        added = graph.linear([mlp.down_proj], graph.operator("Mul", [gated, up]))

    graph.scope = "head"
    _, normed = graph.norm(decoder.norm, stream, added)
    graph.linear([model.lm_head], normed, output="logits")
    return helper.make_model(
        helper.make_graph(
            graph.nodes,
            "decoder",
            [helper.make_tensor_value_info(*value) for value in inputs],
            [helper.make_tensor_value_info(*value) for value in outputs],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(RUNTIME, 1)],
        ir_version=IR_VERSION,
    )


def _head_width(text: Any) -> int:
    return int(getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads)


def _check(text: Any) -> None:
    width = _head_width(text)
    if text.hidden_act != "silu":
        problem = f"hidden_act is '{text.hidden_act}', not 'silu'"
    elif width % HEAD_WIDTHS:
        problem = f"its heads are {width} wide, which is no multiple of {HEAD_WIDTHS}"
    elif getattr(text, "use_sliding_window", False):
        problem = "it attends within a sliding window"
    else:
        return
    raise RoboReferError(
        ErrorCode.BAD_CHECKPOINT,
        f"The decoder cannot be exported: {problem}.",
        "Use the checkpoint as it is, with the extra 'torch'.",
    )


class _Graph:
    """Nodes and constants of a graph in the making; names are those of a scope, numbered."""

    def __init__(self, eps: float) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.scope = "shared"
        self._eps = eps

    def own(self, name: str) -> str:
        """Return a name that no other value has."""
        return f"{self.scope}.{name}.{len(self.nodes) + len(self.constants)}"

    def constant(self, name: str, values: torch.Tensor) -> str:
        array = np.array(values.detach().cpu(), order="C")
        self.constants.append(numpy_helper.from_array(array, self.own(name)))
        return self.constants[-1].name

    def operator(
        self, kind: str, inputs: list[str], outputs: list[str] | None = None, **attributes: object
    ) -> str:
        """Add an operator; return its first output."""
        outputs = outputs or [self.own(kind)]
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0]

    def last_token(self, states: str) -> str:
        """Add the choice of (1, width) from (1, tokens, width)."""
        last = self.constant("last", torch.tensor(-1))
        return self.operator("Gather", [states, last], axis=1)

    def linear(self, layers: list[nn.Linear], given: str, output: str = "") -> str:
        """Add the product with the matrices of layers that read the same, side by side."""
        weight = self.constant("weight", torch.cat([layer.weight for layer in layers]).T)
        bias = [layer.bias for layer in layers if layer.bias is not None]
        outputs = [output] if output else None
        if not bias:
            return self.operator("MatMul", [given, weight], outputs)
        product = self.operator("MatMul", [given, weight])
        return self.operator("Add", [product, self.constant("bias", torch.cat(bias))], outputs)

    def norm(self, layer: nn.Module, stream: str, added: str) -> tuple[str, str]:
        """Add what a layer has written to the stream, and its RMS norm; return both.

        ONNX Runtime's "simplified" layer norm is RMS norm.
        """
        weight = self.constant("norm", layer.weight)
        if not added:
            kind, given = "SimplifiedLayerNormalization", [stream, weight]
            return stream, self.operator(kind, given, epsilon=self._eps, axis=-1)
        normed, stream_after = self.own("normed"), self.own("stream")
        self.operator(
            "SkipSimplifiedLayerNormalization",
            [stream, added, weight],
            [normed, "", "", stream_after],
            domain=RUNTIME,
            epsilon=self._eps,
        )
        return stream_after, normed
