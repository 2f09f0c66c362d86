"""Converted 2B and 8B in vLLM, which finds this by the entry point `vllm.general_plugins`.

Depth travels as the fourth channel of an RGBA image: relative, 8 bits, near is bright. An image
without that channel is answered from colour alone. See `prompt` for what a request looks like.
"""

from __future__ import annotations


def register() -> None:
    """Make the architecture known to transformers and to vLLM; imports neither's models."""
    from vllm import ModelRegistry

    from robo_refer.model import configuration  # noqa: F401 - registers with AutoConfig

    ModelRegistry.register_model(
        "RoboReferForConditionalGeneration", "robo_refer.vllm_plugin.model:RoboReferForVllm"
    )
