"""Names of the files in a checkpoint folder, for those who write and those who read them."""

from __future__ import annotations

TORCH_CONFIG = "config.json"
PREPROCESS = "robo_refer_preprocess.json"
TILING = "robo_refer_tiling.json"

ONNX_CONFIG = "onnx_config.json"
VISION = "vision.onnx"
DEPTH = "depth.onnx"
DECODER = "decoder.onnx"
EMBEDDINGS = "embeddings.npy"
TOKENIZER = "tokenizer.json"
