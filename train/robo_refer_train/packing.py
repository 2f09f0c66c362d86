"""Several questions on one image, packed behind one encoding of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from robo_refer import tokens
from robo_refer.parsing import format_answer
from robo_refer.types import Answer

IGNORE = -100


@dataclass(frozen=True)
class Packed:
    """One row: the visual prefix, then every question with its answer.

    Attributes:
        input_ids, labels: (length,); labels are IGNORE except on answers.
        position_ids: (length,); every question starts right behind the prefix.
        segment_ids: (length,); 0 is the prefix, k the k-th question.
    """

    input_ids: NDArray[np.int64]
    labels: NDArray[np.int64]
    position_ids: NDArray[np.int64]
    segment_ids: NDArray[np.int64]


def answer_text(answer: Answer) -> str:
    """Return what the model shall write: numbers moved to their bins, then the grammar."""
    return format_answer(tokens.quantise_answer(answer)) + tokens.END


class Packer:
    """Packs (instruction, answer, reason) triples for one tokenizer."""

    def __init__(self, tokenizer: Tokenizer, image_tokens: int, depth_tokens: int) -> None:
        self._tokenizer = tokenizer
        self._prefix = {
            True: self._visual(image_tokens, depth_tokens),
            False: self._visual(image_tokens, 0),
        }

    def _visual(self, image_tokens: int, depth_tokens: int) -> list[int]:
        vocabulary = self._tokenizer.get_vocab()
        return [vocabulary[tokens.IMAGE]] * image_tokens + [vocabulary[tokens.DEPTH]] * depth_tokens

    def pack(self, triples: Sequence[tuple[str, Answer, bool]], with_depth: bool) -> Packed:
        """Return the packed row of one image."""
        prompts = [
            tokens.prompt(text, image_tokens=0, depth_tokens=0, reason=reason)
            for text, _, reason in triples
        ]
        answers = [answer_text(answer) for _, answer, _ in triples]
        encoded = self._tokenizer.encode_batch(prompts + answers, add_special_tokens=False)
        questions = encoded[: len(triples)]
        replies = encoded[len(triples) :]
        prefix = self._prefix[with_depth]
        ids, labels = list(prefix), [IGNORE] * len(prefix)
        positions, segments = list(range(len(prefix))), [0] * len(prefix)
        for number, (question, reply) in enumerate(zip(questions, replies, strict=True), start=1):
            length = len(question.ids) + len(reply.ids)
            ids += question.ids + reply.ids
            labels += [IGNORE] * len(question.ids) + reply.ids
            positions += range(len(prefix), len(prefix) + length)
            segments += [number] * length
        return Packed(*(np.asarray(row, np.int64) for row in (ids, labels, positions, segments)))


def block_mask(segment_ids: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return (batch, length, length): who may look at whom.

    A token sees the prefix (segment 0) and its own question, never another question and never the
    future. Padding has segment -1 and sees only itself, so that no row is empty.
    """
    length = segment_ids.shape[1]
    causal = np.tril(np.ones((length, length), bool))
    same = segment_ids[:, :, None] == segment_ids[:, None, :]
    prefix = (segment_ids == 0)[:, None, :] & (segment_ids >= 0)[:, :, None]
    return (same | prefix) & causal
