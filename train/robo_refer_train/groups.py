"""Groups of answers behind one image: a tree of tokens in one row.

An image with its questions, and every question with its `G` sampled answers, is one row of tokens:
the visual prefix once, each question once, then the answers side by side. A token sees what lies on
its own branch (prefix, its question, its answer so far) and nothing else, so that every logit is
what it would be in a row of its own, while the prefix is encoded once instead of once per answer.
The last word of a question opens each of its answers, so that all answers begin alike: the word
before a token, in the row, is always the one that predicts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from robo_refer_train.packing import IGNORE

PADDING = -1


@dataclass(frozen=True)
class Prompt:
    """One question about one image, as tokens.

    Attributes:
        image: what identifies the image; prompts of one image share their prefix.
        prefix: tokens up to the last one of the image (and depth map), equal for one image.
        question: the tokens behind it; the last one opens the answer.
    """

    image: int
    prefix: tuple[int, ...]
    question: tuple[int, ...]


@dataclass(frozen=True)
class TokenTree:
    """Rows of tokens, one per image, and where every answer lies in them.

    Attributes:
        images: the image of every row, in order of first appearance.
        input_ids, position_ids, labels: (rows, length); labels are IGNORE except on answers.
        question_ids, answer_ids: (rows, length); 0 on the prefix, and on what all answers of a
            question share; PADDING behind the end.
        rows, starts: (answers,); the row of an answer, and the place of the word that opens it.
    """

    images: tuple[int, ...]
    input_ids: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    question_ids: NDArray[np.int64]
    answer_ids: NDArray[np.int64]
    rows: NDArray[np.int64]
    starts: NDArray[np.int64]


def grow(prompts: Sequence[Prompt], answers: Sequence[Sequence[int]]) -> TokenTree:
    """Return the tree of `answers[k]` to `prompts[k]`; equal prompts are written once."""
    row_of = {image: row for row, image in enumerate(dict.fromkeys(p.image for p in prompts))}
    columns: list[list[tuple[int, int, int, int, int]]] = [[] for _ in row_of]
    known: dict[Prompt, int] = {}
    questions = [0] * len(row_of)
    rows, starts = [], []
    for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True), start=1):
        row, depth = row_of[prompt.image], len(prompt.prefix)
        line = columns[row]
        if not line:
            line += [(token, place, IGNORE, 0, 0) for place, token in enumerate(prompt.prefix)]
        if prompt not in known:
            questions[row] += 1
            known[prompt] = questions[row]
            line += [
                (token, depth + place, IGNORE, known[prompt], 0)
                for place, token in enumerate(prompt.question[:-1])
            ]
        rows.append(row)
        starts.append(len(line))
        opened = depth + len(prompt.question) - 1
        line.append((prompt.question[-1], opened, IGNORE, known[prompt], number))
        line += [
            (token, opened + place, token, known[prompt], number)
            for place, token in enumerate(answer, start=1)
        ]
    length = max(len(line) for line in columns)
    fill = (0, 0, IGNORE, PADDING, PADDING)
    table = np.array([line + [fill] * (length - len(line)) for line in columns], np.int64)
    ids, places, labels, question_ids, answer_ids = np.moveaxis(table, 2, 0)
    return TokenTree(
        images=tuple(row_of),
        input_ids=ids,
        position_ids=places,
        labels=labels,
        question_ids=question_ids,
        answer_ids=answer_ids,
        rows=np.array(rows, np.int64),
        starts=np.array(starts, np.int64),
    )


def sees(
    question: torch.Tensor,
    answer: torch.Tensor,
    past_question: torch.Tensor,
    past_answer: torch.Tensor,
) -> torch.Tensor:
    """Return (rows, tokens, past) bool: whether a token has a past token on its branch.

    Args:
        question, answer: (rows, tokens), the branch of every looking token.
        past_question, past_answer: (rows, past), the branch of every token that may be looked at.
    """
    same_question = question[:, :, None] == past_question[:, None]
    same_answer = answer[:, :, None] == past_answer[:, None]
    shared = (past_answer == 0)[:, None]
    prefix = (past_question == 0)[:, None] & (question >= 0)[:, :, None]
    return prefix | same_question & (same_answer | shared)


def tree_mask(question: torch.Tensor, answer: torch.Tensor) -> torch.Tensor:
    """Return the (rows, 1, length, length) mask of a whole tree; padding sees only padding."""
    visible = sees(question, answer, question, answer)
    return torch.tril(visible)[:, None]
