"""Sampled answers of a policy: every image is encoded once, every question once.

The answers of a step grow side by side in one row of tokens per image (see `groups.py`): nothing of
the prefix is computed or kept twice, neither by the towers nor in the decoder's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import torch
from transformers import DynamicCache

from robo_refer.model.modeling import RoboReferForConditionalGeneration
from robo_refer_train.groups import PADDING, Prompt, TokenTree, grow, sees, tree_mask


class Pixels(Protocol):
    """What a policy sees: `pixel_values`, and `depth_values` with `depth_mask`, of some images."""

    def __call__(self, images: Sequence[int]) -> dict[str, torch.Tensor]: ...


def draws(seed: int, step: int, item: int, group: int, length: int) -> np.ndarray:
    """Return the (group, length) numbers in [0, 1) that decide a group's answers.

    They depend on nothing else, so that a resumed run, or one on several processes, samples what
    one whole run samples.
    """
    return np.random.default_rng([seed, step, item]).random((group, length), np.float32)


@torch.no_grad()
def sample_answers(
    model: RoboReferForConditionalGeneration,
    prompts: Sequence[Prompt],
    pixels: Pixels,
    numbers: np.ndarray,
    *,
    temperature: float,
    ends: Sequence[int],
) -> list[list[int]]:
    """Return one sampled answer per prompt (repeat a prompt for a group), as tokens.

    Args:
        model: the policy, in evaluation mode.
        prompts: questions; equal ones are encoded once.
        pixels: gives the images of the prompts.
        numbers: (prompts, tokens) in [0, 1), what decides every token; its width is the longest
            answer.
        temperature: of sampling; 0 takes the most likely token.
        ends: tokens that end an answer; kept as its last one.
    """
    device = model.device
    stem = grow(prompts, [()] * len(prompts))
    branch = _Branches(stem, len(prompts), device)
    cache = DynamicCache(config=model.config.text_config)
    question, answer = (
        torch.from_numpy(ids).to(device) for ids in (stem.question_ids, stem.answer_ids)
    )
    states = model.model(
        input_ids=torch.from_numpy(stem.input_ids).to(device),
        attention_mask=tree_mask(question, answer),
        position_ids=torch.from_numpy(stem.position_ids).to(device),
        past_key_values=cache,
        use_cache=True,
        **{name: value.to(device) for name, value in pixels(stem.images).items()},
    ).last_hidden_state
    states = states[branch.rows, torch.from_numpy(stem.starts).to(device)]
    places = torch.from_numpy(stem.position_ids[stem.rows, stem.starts]).to(device)
    ending = torch.tensor(list(ends), device=device)
    chance = torch.from_numpy(numbers).to(device)
    written: list[torch.Tensor] = []
    open_ = torch.ones(len(prompts), dtype=torch.bool, device=device)
    for turn in range(numbers.shape[1]):
        logits = model.lm_head(states).float()
        logits[:, [model.config.image_token_id, model.config.depth_token_id]] = -torch.inf
        token = _choose(logits, chance[:, turn], temperature)
        written.append(torch.where(open_, token, PADDING))
        open_ = open_ & ~torch.isin(token, ending)
        if not open_.any() or turn + 1 == numbers.shape[1]:
            break
        places = places + 1
        new_question, new_answer, columns = branch.next_tokens()
        question = torch.cat([question, new_question], dim=1)
        answer = torch.cat([answer, new_answer], dim=1)
        output = model.model(
            input_ids=branch.laid_out(token),
            attention_mask=sees(new_question, new_answer, question, answer)[:, None],
            position_ids=branch.laid_out(places),
            past_key_values=cache,
            use_cache=True,
        )
        states = output.last_hidden_state[branch.rows, columns]
    table = torch.stack(written, dim=1).tolist()
    return [[token for token in line if token != PADDING] for line in table]


class _Branches:
    """Where the next tokens of all answers go: each row of an image has a column per answer."""

    def __init__(self, stem: TokenTree, count: int, device: torch.device) -> None:
        self.rows = torch.from_numpy(stem.rows).to(device)
        columns = np.zeros(count, np.int64)
        taken = np.zeros(len(stem.images), np.int64)
        for number, row in enumerate(stem.rows):
            columns[number] = taken[row]
            taken[row] += 1
        self.columns = torch.from_numpy(columns).to(device)
        shape = (len(stem.images), int(taken.max()))
        self._question = torch.full(shape, PADDING, device=device)
        self._answer = torch.full(shape, PADDING, device=device)
        first = stem.question_ids[stem.rows, stem.starts]
        self._question[self.rows, self.columns] = torch.from_numpy(first).to(device)
        self._answer[self.rows, self.columns] = torch.arange(1, count + 1, device=device)

    def next_tokens(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return question and answer ids (rows, columns) of a next token each, and its column."""
        return self._question, self._answer, self.columns

    def laid_out(self, values: torch.Tensor) -> torch.Tensor:
        """Return (rows, columns) with the value of every answer in its place, 0 elsewhere."""
        table = torch.zeros_like(self._question)
        table[self.rows, self.columns] = values
        return table


def _choose(logits: torch.Tensor, chance: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return the token at `chance` of the distribution (answers, words), or the likeliest one."""
    if temperature == 0:
        return logits.argmax(dim=-1)
    shares = torch.softmax(logits / temperature, dim=-1).cumsum(dim=-1)
    chosen = torch.searchsorted(shares, chance[:, None] * shares[:, -1:], right=True)
    return chosen[:, 0].clamp(max=logits.shape[1] - 1)
