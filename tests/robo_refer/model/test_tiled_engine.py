"""A converted checkpoint answers through `Referrer`; depth from colour; 8 and 4 bits."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from nvila_fixture import cases, fixture_root, recorded, released
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessor

from robo_refer.engines.base import Generation, Request
from robo_refer.engines.torch_tiled_engine import TorchTiledEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.configuration import RoboReferConfig
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.model.monocular_depth import MonocularDepth
from robo_refer.model.quantization import quantization_options
from robo_refer.model.released.convert import convert
from robo_refer.model.tiled_processing import depth_picture
from robo_refer.referrer import Referrer
from robo_refer.relative_depth import from_disparity
from robo_refer.types import Frame


@pytest.fixture(autouse=True)
def short_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("robo_refer.engines.torch_tiled_engine.MAX_NEW_TOKENS", 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("converted") / "2b"
    convert(released("lite2b"), out)
    return out


@pytest.fixture(scope="module")
def engine(folder: Path) -> TorchTiledEngine:
    return TorchTiledEngine(folder)


@pytest.fixture(scope="module")
def depth_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a Depth Anything V2 of real form and no training."""
    backbone = {
        "model_type": "dinov2",
        "hidden_size": 16,
        "num_hidden_layers": 4,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "image_size": 28,
        "patch_size": 14,
        "out_indices": [1, 2, 3, 4],
        "reshape_hidden_states": False,
    }
    torch.manual_seed(0)
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 16, 16],
        fusion_hidden_size=8,
        head_hidden_size=8,
    )
    folder = tmp_path_factory.mktemp("depth")
    DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    DPTImageProcessor(size={"height": 56, "width": 56}).save_pretrained(folder)
    return str(folder)


def small_frame(depth: bool = False) -> Frame:
    rgb = np.random.default_rng(0).integers(0, 255, (90, 100, 3), dtype=np.uint8)
    ramp = np.linspace(0.5, 2.0, 9000, dtype=np.float32).reshape(90, 100)
    return Frame(rgb, ramp if depth else None)


def test_the_engine_writes_what_the_released_code_wrote(
    engine: TorchTiledEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = next(case for case in cases("lite2b") if case.name == "small100x90_rgb")
    instruction = recorded("lite2b")["text"]
    monkeypatch.setattr(engine._processor, "question", lambda text, reason: text)
    request = Request(Frame(case.pictures()[0]), instruction)
    (answer,) = engine.generate([request])
    assert list(answer.token_ids[:16]) == case.told["generated_ids"]


def test_depth_changes_the_answer_and_order_is_kept(engine: TorchTiledEngine) -> None:
    blind, seeing = small_frame(), small_frame(depth=True)
    asked = [Request(blind, "the mug"), Request(seeing, "the mug"), Request(blind, "a Bowl")]
    together = engine.generate(asked)
    alone = [engine.generate([one])[0] for one in asked]
    assert [a.token_ids for a in together] == [a.token_ids for a in alone]
    assert len({a.token_ids for a in together}) == 3


def test_a_batch_of_other_sizes_and_depths_answers_as_each_alone(engine: TorchTiledEngine) -> None:
    model, processor = engine._model, engine._processor
    wide = Frame(np.ascontiguousarray(small_frame().rgb[:45]))  # two tiles and the whole
    frames = [small_frame(depth=True), wide, small_frame()]
    texts = ["the mug", "a bowl left of it", "the nearest cup"]
    together = model.generate(**processor.from_frames(frames, texts), max_new_tokens=5)
    for row, frame, text in zip(together, frames, texts, strict=True):
        alone = model.generate(**processor.from_frames([frame], [text]), max_new_tokens=5)
        assert row[-5:].tolist() == alone[0, -5:].tolist()
    with pytest.raises(RoboReferError) as caught:
        model.generate(
            **processor.from_frames([wide], texts[:1]), num_return_sequences=2, do_sample=True
        )
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_answers_are_read_in_both_forms_as_parts_of_the_whole_image(
    engine: TorchTiledEngine,
) -> None:
    frame = small_frame()
    assert engine.read("[(0.25, 0.5), (0.1, 0.2)]", frame).points == ((0.25, 0.5), (0.1, 0.2))
    tagged = "<think>\n[Size] [mug]: 0.090\n</think>\n<answer>[(0.250, 0.500)]</answer>"
    assert engine.read(tagged, frame).steps[0].target == "mug"
    with pytest.raises(RoboReferError) as caught:
        engine.read("I cannot see it.", frame)
    assert caught.value.code is ErrorCode.UNPARSABLE_ANSWER


def test_a_referral_comes_out_of_a_converted_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    referrer = Referrer.from_pretrained(folder)
    assert isinstance(referrer.engine, TorchTiledEngine)
    written = Generation("[(0.255, 0.5)]", (1,), ())
    monkeypatch.setattr(referrer.engine, "generate", lambda requests: [written])
    (point,) = referrer.refer(small_frame(), "the mug").points
    assert point.uv_px == pytest.approx((25.0, 44.5))
    assert point.score is None


def test_options_of_other_models_are_refused() -> None:
    with pytest.raises(RoboReferError) as caught:
        Referrer.from_pretrained("nano", quantize="int8")
    assert caught.value.code is ErrorCode.BAD_REQUEST


def test_disparity_is_scaled_as_the_released_server_does() -> None:
    told = np.load(fixture_root() / "images" / "depth_normalisation.npz")
    np.testing.assert_array_equal(from_disparity(told["raw"]), told["uint8"])
    assert (from_disparity(np.full((4, 5), 0.3, np.float32)) == 128).all()


def test_depth_comes_from_colour_where_there_is_none(folder: Path, depth_model: str) -> None:
    estimator = MonocularDepth(depth_model)
    frame = small_frame()
    relative = estimator.relative(frame.rgb)
    assert (relative.shape, relative.dtype) == ((90, 100), np.uint8)
    assert (relative.min(), relative.max()) == (0, 255)
    blind = TorchTiledEngine(folder)
    seeing = TorchTiledEngine(folder, depth_model=depth_model)
    request = Request(frame, "the mug")
    answers = {engine.generate([request])[0].token_ids for engine in (blind, seeing)}
    assert len(answers) == 2


def test_a_depth_model_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(RoboReferError) as caught:
        MonocularDepth(str(tmp_path))
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert "\n" not in str(caught.value)


def test_depth_that_is_neither_metres_nor_a_picture_is_refused() -> None:
    with pytest.raises(RoboReferError):
        depth_picture(np.zeros((4, 4), np.uint16))  # type: ignore[arg-type]
    with pytest.raises(RoboReferError):
        depth_picture(np.zeros((4, 4), np.float32))  # nothing measured
    near_left = np.array([[0.5, 2.0]] * 4, np.float32)
    assert depth_picture(near_left)[0, :, 0].tolist() == [255, 0]


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="no bitsandbytes")
@pytest.mark.parametrize(("kind", "agreement"), [("int8", 0.999), ("int4", 0.98)])
def test_a_quantised_language_model_says_nearly_the_same(
    kind: str, agreement: float, tmp_path: Path
) -> None:
    tower = {
        "model_type": "siglip_vision_model",
        "image_size": 28,
        "patch_size": 14,
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    text = {
        "model_type": "qwen2",
        "vocab_size": 64,
        "hidden_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 128,
    }
    torch.manual_seed(0)
    model = RoboReferForConditionalGeneration(RoboReferConfig(tower, tower, text)).eval()
    model.save_pretrained(tmp_path)
    smaller = RoboReferForConditionalGeneration.from_pretrained(
        tmp_path,
        **quantization_options(kind),  # type: ignore[arg-type]
    ).eval()
    attention = smaller.model.language_model.layers[0].self_attn
    assert attention.q_proj.weight.dtype in (torch.int8, torch.uint8)
    for exact in (smaller.lm_head, smaller.model.vision_projector.layers[1]):
        assert exact.weight.is_floating_point()
    ids = torch.arange(4, 40)[None]
    with torch.no_grad():
        one, other = (m(input_ids=ids).logits.float().flatten() for m in (model, smaller))
    assert torch.nn.functional.cosine_similarity(one, other, dim=0) > agreement
