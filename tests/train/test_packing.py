"""Several questions on one image must not see each other."""

from __future__ import annotations

import numpy as np
import torch

from robo_refer import tokens
from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer.parsing import parse
from robo_refer.types import Answer, Step
from robo_refer_train.config import SftConfig
from robo_refer_train.nano import build_model, build_processor
from robo_refer_train.packing import IGNORE, Packer, answer_text, block_mask
from robo_refer_train.sources import load_table

TRIPLES = [
    ("the red disc", Answer(((0.25, 0.5),)), False),
    ("right of red", Answer(((0.7, 0.3),), (Step("position", "red disc", (0.2, 0.5)),)), False),
    ("the mug", Answer(()), True),
]


def test_the_mask_opens_the_prefix_and_the_own_question_only() -> None:
    segments = np.array([[0, 0, 1, 1, 2, 2, -1]])
    mask = block_mask(segments)[0]
    assert mask[3].tolist() == [True, True, True, True, False, False, False]
    assert mask[4].tolist() == [True, True, False, False, True, False, False]
    assert mask[0].tolist() == [True] + [False] * 6
    assert mask[6].tolist() == [False] * 6 + [True]


def test_packed_logits_equal_those_of_each_question_alone(tiny_config: SftConfig) -> None:
    processor = build_processor(tiny_config, load_table(tiny_config.data))
    model = build_model(tiny_config, processor.tokenizer).eval()
    spec = processor.spec
    packer = Packer(processor.tokenizer.backend_tokenizer, spec.image_tokens, spec.depth_tokens)
    torch.manual_seed(0)
    pixels = torch.rand(1, 3, spec.height, spec.width)
    depth = torch.rand(1, 3, spec.height, spec.width)
    whole = packer.pack(TRIPLES, with_depth=True)
    together = _logits(model, whole, pixels, depth)
    for number, triple in enumerate(TRIPLES, start=1):
        alone = packer.pack([triple], with_depth=True)
        separate = _logits(model, alone, pixels, depth)
        place = whole.segment_ids == number
        assert torch.allclose(together[place], separate[alone.segment_ids == 1], atol=1e-4)


def _logits(
    model: RoboReferForConditionalGeneration,
    packed: object,
    pixels: torch.Tensor,
    depth: torch.Tensor,
) -> torch.Tensor:
    rows = {name: torch.from_numpy(value)[None] for name, value in vars(packed).items()}
    mask = torch.from_numpy(block_mask(rows["segment_ids"].numpy()))[:, None]
    with torch.no_grad():
        return model(
            input_ids=rows["input_ids"],
            pixel_values=pixels,
            depth_values=depth,
            attention_mask=mask,
            position_ids=rows["position_ids"],
            use_cache=False,
        ).logits[0]


def test_only_answers_are_learnt_and_they_parse_back(tiny_config: SftConfig) -> None:
    processor = build_processor(tiny_config, load_table(tiny_config.data))
    packer = Packer(processor.tokenizer.backend_tokenizer, 4, 4)
    packed = packer.pack(TRIPLES[1:2], with_depth=False)
    learnt = packed.labels[packed.labels != IGNORE]
    text = processor.tokenizer.decode(learnt, skip_special_tokens=True)
    assert parse(text) == tokens.quantise_answer(TRIPLES[1][1])
    assert answer_text(TRIPLES[2][1]) == f"<answer>[]</answer>{tokens.END}"
