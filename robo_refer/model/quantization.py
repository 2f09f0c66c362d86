"""The language model in 8 or 4 bits, by bitsandbytes, quantised while the shards are read."""

from __future__ import annotations

from typing import Any, Literal

import torch
from transformers import BitsAndBytesConfig

from robo_refer.errors import missing_package

Quantization = Literal["int8", "int4"]

_SEEING = ("vision_tower", "depth_tower", "vision_projector", "depth_projector")
_EXACT = [*(f"model.{part}" for part in _SEEING), "lm_head"]


def quantization_options(kind: Quantization | None) -> dict[str, Any]:
    """Return what `from_pretrained` needs to quantise the language model's linear layers.

    Towers, projectors, embeddings and head keep the checkpoint's type.

    Args:
        kind: "int8" is LLM.int8() (arXiv:2208.07339), "int4" is NF4 with double quantisation
            (arXiv:2305.14314); None changes nothing.

    Raises:
        RoboReferError: MISSING_DEPENDENCY without bitsandbytes.
    """
    if kind is None:
        return {}
    try:
        import bitsandbytes  # noqa: F401 - transformers uses it, and says so less clearly
    except ImportError as error:
        raise missing_package("bitsandbytes", "quantize") from error
    if kind == "int8":
        config = BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=_EXACT)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
            llm_int8_skip_modules=_EXACT,
        )
    return {"quantization_config": config}
