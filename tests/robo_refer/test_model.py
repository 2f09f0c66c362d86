"""The model as a Hugging Face model: fusion, cache, mixed batches, saving; and its ONNX twin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForImageTextToText

from robo_refer import checkpoint_files as files
from robo_refer import tokens
from robo_refer.engines.base import Request
from robo_refer.engines.onnx_engine import OnnxEngine
from robo_refer.engines.torch_engine import TorchEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.export import export
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.processing import RoboReferProcessor
from robo_refer.model.tower import ResidualBlock
from robo_refer.preprocess import PreprocessSpec
from robo_refer.referrer import Referrer
from robo_refer.types import CameraModel, Frame
from robo_refer_train.tokenizer import build_tokenizer

TOWER = {
    "model_type": "robo_refer_tower",
    "image_size": (48, 64),
    "stem_channels": (4, 8),
    "stem_blocks": (0, 0, 1),
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
TEXTS = ["the red mug", "point to the blue box left of the mug", "nearest thing"]


@pytest.fixture(scope="module")
def processor() -> RoboReferProcessor:
    return RoboReferProcessor(build_tokenizer(TEXTS * 20, 300), PreprocessSpec(64, 48, 12, 12))


def make_model(
    processor: RoboReferProcessor, kv_heads: int = 2, **text: Any
) -> RoboReferForConditionalGeneration:
    torch.manual_seed(11)  # random weights whose answers depend on the question
    tokenizer = processor.tokenizer
    config = RoboReferConfig(
        vision_config=TOWER,
        depth_config=TOWER,
        text_config={
            "model_type": "qwen2",
            "vocab_size": len(tokenizer),
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": kv_heads,
            "intermediate_size": 64,
            "max_position_embeddings": 512,
            "tie_word_embeddings": True,
            **text,
        },
        image_token_id=tokenizer.convert_tokens_to_ids(tokens.IMAGE),
        depth_token_id=tokenizer.convert_tokens_to_ids(tokens.DEPTH),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    model = RoboReferForConditionalGeneration(config).eval()
    with torch.no_grad():  # random weights say the same thing always: make them opinionated
        for name, weight in model.named_parameters():
            if weight.ndim > 1 and "embed" not in name:
                weight.mul_(2.0)
    return model


@pytest.fixture(scope="module")
def model(processor: RoboReferProcessor) -> RoboReferForConditionalGeneration:
    return make_model(processor)


def make_frame(seed: int, with_depth: bool = True) -> Frame:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 255, (96, 128, 3), dtype=np.uint8)
    depth = rng.uniform(0.5, 2.0, (96, 128)).astype(np.float32)
    camera = CameraModel(128, 96, 100.0, 100.0, 63.5, 47.5, T_world_cam=np.eye(4))
    return Frame(rgb, depth if with_depth else None, camera)


def logits_of(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    with torch.no_grad():
        return model(**batch).logits


def test_mixed_batches_equal_single_samples(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor
) -> None:
    frames = [make_frame(0), make_frame(1, with_depth=False), make_frame(2)]
    together = model.generate(**processor.from_frames(frames, TEXTS), max_new_tokens=6)
    for row, frame, text in zip(together, frames, TEXTS, strict=True):
        alone = model.generate(**processor.from_frames([frame], [text]), max_new_tokens=6)
        assert row[-6:].tolist() == alone[0, -6:].tolist()


def test_depth_reaches_the_logits_through_the_inner_model(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor
) -> None:
    batch = processor.from_frames([make_frame(0)], TEXTS[:1])
    other = dict(batch)
    other["depth_values"] = batch["depth_values"].flip(-1)
    assert not torch.allclose(logits_of(model, batch), logits_of(model, other))
    with torch.no_grad():
        states = [model.model(**inputs).last_hidden_state for inputs in (batch, other)]
    assert not torch.allclose(*states)


def test_depth_gets_gradient(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor
) -> None:
    batch = processor.from_frames([make_frame(0)], TEXTS[:1])
    blocks = [module for module in model.modules() if isinstance(module, ResidualBlock)]
    for block in blocks:  # they start as the identity, behind which nothing gets a gradient
        torch.nn.init.ones_(block.second.gain)
    model(**batch, labels=batch["input_ids"]).loss.backward()
    for block in blocks:
        torch.nn.init.zeros_(block.second.gain)
    names = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    model.zero_grad()
    # Keys have no gradient through a softmax shift: their bias is the one exception.
    assert [name for name in names if not name.endswith("k_proj.bias")] == []


def test_generation_with_cache_equals_generation_without(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor
) -> None:
    batch = processor.from_frames([make_frame(0)], TEXTS[:1])
    runs = [model.generate(**batch, max_new_tokens=8, use_cache=flag) for flag in (True, False)]
    assert runs[0].tolist() == runs[1].tolist()


def test_save_and_load_through_the_auto_classes(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    assert isinstance(loaded, RoboReferForConditionalGeneration)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), RoboReferConfig)
    again = RoboReferProcessor.from_pretrained(tmp_path)
    batch, same = (p.from_frames([make_frame(0)], TEXTS[:1]) for p in (processor, again))
    assert torch.equal(batch["input_ids"], same["input_ids"])
    assert torch.equal(logits_of(model, batch), logits_of(loaded, same))


def test_features_without_places_are_an_error(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor
) -> None:
    batch = processor.from_frames([make_frame(0)], TEXTS[:1])
    batch["input_ids"] = batch["input_ids"][:, 1:]
    batch["attention_mask"] = batch["attention_mask"][:, 1:]
    with pytest.raises(RoboReferError) as caught:
        model(**batch)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_siglip_towers_and_the_2b_projector_compose() -> None:
    siglip = {
        "model_type": "siglip_vision_model",
        "image_size": 56,
        "patch_size": 14,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    text = {
        "model_type": "qwen2",
        "vocab_size": 50,
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 64,
    }
    config = RoboReferConfig(siglip, siglip, text, feature_layer=-2, merge=3, projector_norm=True)
    model = RoboReferForConditionalGeneration(config)
    ids = torch.tensor([[2] * 4 + [3] * 4 + [9, 10]])  # a 4x4 grid padded to 6x6 merges to 2x2
    pixels = torch.rand(1, 3, 56, 56)
    assert model(input_ids=ids, pixel_values=pixels, depth_values=pixels).logits.shape == (
        1,
        10,
        50,
    )


STRETCHED = {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0,
             "original_max_position_embeddings": 128}  # fmt: skip


@pytest.mark.parametrize(
    ("kv_heads", "halves", "text"),
    [
        (1, False, {}),
        (2, False, {"head_dim": 32, "rope_parameters": STRETCHED}),
        (2, True, {"max_position_embeddings": 64}),
    ],
)
def test_onnx_writes_the_same_tokens_as_torch(
    processor: RoboReferProcessor, tmp_path: Path, kv_heads: int, halves: bool, text: dict[str, Any]
) -> None:
    model = make_model(processor, kv_heads, **text)
    if halves:
        model.half().float()
    model.save_pretrained(tmp_path / "torch")
    processor.save_pretrained(tmp_path / "torch")
    export(tmp_path / "torch", tmp_path / "onnx", "tiny")
    for graph in (tmp_path / "onnx").glob("*.onnx"):
        assert b"export.py" not in graph.read_bytes(), "paths of this machine"
        matrices = [t for t in onnx.load(graph).graph.initializer if len(t.dims) == 2]
        assert (onnx.TensorProto.FLOAT16 in {t.data_type for t in matrices}) is halves
    engines = OnnxEngine(tmp_path / "onnx"), TorchEngine(tmp_path / "torch")
    frame = make_frame(5)
    assert frame.depth_m is not None
    for seen in (frame, Frame(frame.rgb)):
        ours, peer = (e.generate([Request(seen, text) for text in TEXTS]) for e in engines)
        assert [g.token_ids for g in ours] == [g.token_ids for g in peer]
        assert len({g.token_ids for g in ours}) > 1, "the answers do not depend on the question"
        for first, second in zip(ours, peer, strict=True):
            assert first.point_scores == pytest.approx(second.point_scores, abs=1e-4)
    referral = Referrer.from_pretrained(tmp_path / "onnx").refer(frame, TEXTS[0])
    assert referral.model == "tiny"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ({"hidden_act": "gelu"}, "silu"),
        ({"num_attention_heads": 4, "num_key_value_heads": 4}, "8 wide"),
        ({"use_sliding_window": True, "sliding_window": 8}, "sliding window"),
    ],
)
def test_a_decoder_that_onnx_would_compute_otherwise_is_refused(
    processor: RoboReferProcessor, tmp_path: Path, text: dict[str, Any], why: str
) -> None:
    make_model(processor, **text).save_pretrained(tmp_path / "torch")
    processor.save_pretrained(tmp_path / "torch")
    with pytest.raises(RoboReferError, match=why) as caught:
        export(tmp_path / "torch", tmp_path / "onnx", "tiny")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert not (tmp_path / "onnx").exists()


@pytest.mark.parametrize("file", [files.DECODER, files.VISION, files.TOKENIZER, files.ONNX_CONFIG])
def test_corrupt_weights_are_a_clear_error(
    model: RoboReferForConditionalGeneration,
    processor: RoboReferProcessor,
    tmp_path: Path,
    file: str,
) -> None:
    model.save_pretrained(tmp_path / "torch")
    processor.save_pretrained(tmp_path / "torch")
    export(tmp_path / "torch", tmp_path / "onnx", "tiny")
    path = tmp_path / "onnx" / file
    path.write_bytes(path.read_bytes()[:100] + b"\0\0garbage")
    with pytest.raises(RoboReferError) as caught:
        Referrer.from_pretrained(tmp_path / "onnx")
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert "\n" not in str(caught.value)


def test_pickled_weights_are_not_read(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor, tmp_path: Path
) -> None:
    model.config.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(RoboReferError) as caught:
        Referrer.from_pretrained(tmp_path)
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT


def test_a_checkpoint_without_some_weights_is_a_clear_error(
    model: RoboReferForConditionalGeneration, processor: RoboReferProcessor, tmp_path: Path
) -> None:
    model.save_pretrained(tmp_path)
    processor.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["model.depth_projector.layers.1.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RoboReferError) as caught:
        Referrer.from_pretrained(tmp_path)
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
