"""Answers that share a row must not see each other, and nothing must be encoded twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from robo_refer.model.loading import load_checkpoint
from robo_refer_train.groups import Prompt, grow, tree_mask
from robo_refer_train.items import Items
from robo_refer_train.rollout import draws, sample_answers
from robo_refer_train.sources import load_table

FIRST = Prompt(7, (1, 1, 2), (10, 11, 12))
SECOND = Prompt(7, (1, 1, 2), (20, 12))
OTHER = Prompt(9, (1, 1), (30, 12))


def test_prefix_and_question_are_written_once() -> None:
    tree = grow([FIRST, FIRST, SECOND, OTHER], [(50, 51), (60,), (70,), (80,)])
    assert tree.images == (7, 9)
    assert tree.input_ids[0].tolist() == [1, 1, 2, 10, 11, 12, 50, 51, 12, 60, 20, 12, 70]
    assert tree.position_ids[0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 5, 6, 3, 4, 5]
    assert tree.rows.tolist() == [0, 0, 0, 1]
    assert tree.starts.tolist() == [5, 8, 11, 3]
    assert sorted(tree.labels[tree.labels >= 0].tolist()) == [50, 51, 60, 70, 80]


def test_a_token_sees_its_own_branch_only() -> None:
    tree = grow([FIRST, FIRST, SECOND], [(50, 51), (60,), (70,)])
    mask = tree_mask(torch.from_numpy(tree.question_ids), torch.from_numpy(tree.answer_ids))
    seen = [set(np.flatnonzero(row)) for row in mask[0, 0].numpy()]
    assert seen[7] == {0, 1, 2, 3, 4, 5, 6, 7}  # the second word of the first answer
    assert seen[9] == {0, 1, 2, 3, 4, 8, 9}  # the second answer to the same question
    assert seen[12] == {0, 1, 2, 10, 11, 12}  # the answer to another question


@pytest.fixture(scope="module")
def chosen(policy: Path, discs: Path) -> tuple:
    model, processor = load_checkpoint(policy)
    items = Items(load_table([discs]), processor)
    return model, processor, items, [0, 1, 2, 30, 40]


def test_logits_in_a_tree_equal_those_alone(chosen: tuple) -> None:
    model, _, items, asked = chosen
    prompts = [items.prompt(item) for item in asked for _ in range(2)]
    answers = [[40 + k, 50 + k, 60 + k][: 1 + k % 3] for k in range(len(prompts))]
    tree = grow(prompts, answers)
    together = _logits(model, items, tree)
    for place, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        alone = grow([prompt], [answer])
        separate = _logits(model, items, alone)[0]
        row, start = tree.rows[place], tree.starts[place]
        end = start + len(answer) + 1
        assert torch.allclose(together[row, start:end], separate[alone.starts[0] :], atol=1e-4)


def _logits(model: object, items: Items, tree: object) -> torch.Tensor:
    question, answer = torch.from_numpy(tree.question_ids), torch.from_numpy(tree.answer_ids)
    with torch.no_grad():
        return model(
            input_ids=torch.from_numpy(tree.input_ids),
            position_ids=torch.from_numpy(tree.position_ids),
            attention_mask=tree_mask(question, answer),
            use_cache=False,
            **items.pixels(tree.images),
        ).logits


def test_greedy_answers_are_those_of_generate(chosen: tuple) -> None:
    model, processor, items, asked = chosen
    prompts = [items.prompt(item) for item in asked]
    end = processor.tokenizer.eos_token_id
    numbers = np.zeros((len(prompts), 8), np.float32)
    ours = sample_answers(model, prompts, items.pixels, numbers, temperature=0, ends=[end])
    for item, answer in zip(asked, ours, strict=True):
        sample, question = items.sample(item), items.question(item)
        batch = processor(images=[sample.rgb], depth=[sample.depth_m], text=[question.text])
        whole = model.generate(
            **batch, max_new_tokens=8, do_sample=False, suppress_tokens=_pictures(model)
        )
        theirs = whole[0, batch["input_ids"].shape[1] :].tolist()
        assert answer == theirs[: len(answer)]


def _pictures(model: object) -> list[int]:
    return [model.config.image_token_id, model.config.depth_token_id]


def test_answers_do_not_depend_on_what_else_is_asked(chosen: tuple) -> None:
    model, _, items, asked = chosen

    def answers(about: list[int]) -> list[list[int]]:
        prompts = [items.prompt(item) for item in about for _ in range(3)]
        numbers = np.concatenate([draws(5, 0, item, 3, 6) for item in about])
        return sample_answers(model, prompts, items.pixels, numbers, temperature=1.0, ends=[1])

    together = answers(asked)
    assert together[3:6] == answers(asked[1:2])
    assert len({tuple(answer) for answer in together}) > len(asked)


def test_an_image_is_encoded_once_for_all_that_is_asked(chosen: tuple) -> None:
    model, _, items, _ = chosen
    seen = []
    hook = model.model.vision_tower.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(len(kwargs["pixel_values"])), with_kwargs=True
    )
    prompts = [items.prompt(item) for item in (0, 1, 2) for _ in range(4)]
    numbers = draws(0, 0, 0, 12, 6)
    sample_answers(model, prompts, items.pixels, numbers, temperature=1.0, ends=[1])
    hook.remove()
    assert seen == [1]
