"""The converted 2B and 8B do what the released code was recorded doing, on tiny checkpoints."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from nvila_fixture import KINDS, Case, cases, recorded, released

from robo_refer import chat
from robo_refer.model.loading import load_checkpoint
from robo_refer.model.released.convert import convert


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def converted(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("converted") / kind
    convert(released(kind), out)
    return load_checkpoint(out)


def sha256(array: Any) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def inputs(case: Case, processor: Any) -> dict[str, torch.Tensor]:
    images = [processor.tile(picture) for picture in case.pictures()]
    depths = [processor.tile(picture) for picture in case.pictures("_depth")]
    depths = depths if case.has_depth else []
    grids, depth_grids = ([one.grid for one in seen] for seen in (images, depths))
    ids = torch.tensor([processor.prompt_ids(recorded(case.kind)["text"], grids, depth_grids)])
    given = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
    for name, seen in (("pixel_values", images), ("depth_values", depths)):
        if seen:
            given[name] = torch.cat([one.pixels for one in seen])
            grids = name.replace("pixel", "image").replace("values", "grids")
            given[grids] = torch.tensor([one.grid for one in seen])
    return given


def test_prompts_and_pixels_are_exactly_the_released_ones(kind: str, converted: Any) -> None:
    model, processor = converted
    image, depth = model.config.image_token_id, model.config.depth_token_id
    for case in cases(kind):
        given, told = inputs(case, processor), case.told
        expected = case.tensors()["expanded_ids"]
        ours = given["input_ids"][0].clone()
        ours[ours == image], ours[ours == depth] = -1, -2
        assert ours.tolist() == expected.tolist(), case.name
        for name, key in (("pixel_values", "rgb"), ("depth_values", "depth")):
            if key in told:
                hashes = [sha256(tile.numpy()) for tile in given[name]]
                assert hashes == told[key]["pixel_sha256_f32_per_tile"], case.name


def test_the_chat_is_written_as_the_released_code_writes_it(kind: str, converted: Any) -> None:
    processor = converted[1]
    for case in cases(kind):
        counts = [
            [len(processor.tile(picture).pixels) for picture in case.pictures(suffix)]
            for suffix in ("", "_depth")
        ]
        if not case.has_depth:
            counts[1] = []
        text = chat.message(recorded(kind)["text"], processor.spec, *counts)
        assert text == case.told["user_text"], case.name


@pytest.mark.slow
def test_features_logits_and_greedy_answers_agree(kind: str, converted: Any) -> None:
    model, processor = converted
    for case in cases(kind):
        given, expected = inputs(case, processor), case.tensors()
        steps = expected["generated_ids"].tolist()
        output = model.generate(
            **given, max_new_tokens=len(steps), return_dict_in_generate=True, output_logits=True
        )
        written = output.sequences[0, given["input_ids"].shape[1] :].tolist()
        assert written == steps, case.name
        logits = torch.cat(output.logits)
        assert (logits - expected["step_logits"]).abs().max() < 1e-4, case.name


def test_features_agree(kind: str, converted: Any) -> None:
    model, processor = converted
    case = next(case for case in cases(kind) if "rgb_features" in case.tensors())
    given, expected = inputs(case, processor), case.tensors()
    with torch.no_grad():
        rgb, _ = model.model.image_tokens(given["pixel_values"], given["image_grids"])
        depth, _ = model.model.depth_tokens(given["depth_values"], given["depth_grids"])
    assert (rgb.flatten(0, 1) - expected["rgb_features"]).abs().max() < 1e-4
    assert (depth.flatten(0, 1) - expected["depth_features"]).abs().max() < 1e-4


def test_the_released_answer_text_comes_out(kind: str, converted: Any, tmp_path: Path) -> None:
    processor = converted[1]
    for case in cases(kind):
        ids = [case.tensors()["generated_ids"].tolist()]
        assert processor.batch_decode(ids)[0].strip() == case.told["answer"], case.name
