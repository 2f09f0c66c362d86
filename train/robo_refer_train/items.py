"""What reinforcement learning practises on: one item is one question about one sample."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from itertools import islice

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from robo_refer.data.records import from_row
from robo_refer.data.sample import POINTING, Question, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.processing import RoboReferProcessor
from robo_refer.tokens import DEPTH, IMAGE
from robo_refer.types import FloatArray
from robo_refer_train.groups import Prompt

VISUAL = (IMAGE, DEPTH)
"""Placeholders of what is seen."""

REMEMBERED = 512
"""Decoded samples kept in memory."""


class Items:
    """The pointing questions of a table, by number.

    Args:
        table: samples, images still encoded (`load_table`).
        processor: of the policy.
        use_depth: whether the policy sees depth, where a sample has it.
        reason: whether every answer shall be reasoned, also where one word would do.
        kinds: question kinds to practise; () takes all.
        key_steps: how many reasoning steps a question must have at least.
    """

    def __init__(
        self,
        table: pa.Table,
        processor: RoboReferProcessor,
        *,
        use_depth: bool = True,
        reason: bool = False,
        kinds: Sequence[str] = (),
        key_steps: int = 0,
    ) -> None:
        self._table, self._processor = table, processor
        self.use_depth, self._reason = use_depth, reason
        self._places = _questions(table, kinds, key_steps)
        if not self._places:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                "The data has no question that is answered by pointing"
                + (f", of the kinds {', '.join(kinds)}" if kinds else "")
                + (f", with {key_steps} key steps." if key_steps else "."),
                "Give a dataset made by 'robo-refer data generate', or ask for less.",
            )
        self._visual = set(processor.tokenizer.convert_tokens_to_ids(list(VISUAL)))
        self._facts = table.drop_columns(["rgb", "depth"])
        self._sample = lru_cache(REMEMBERED)(self._read)
        self._truth = lru_cache(REMEMBERED)(self._read_facts)
        self._tokens = lru_cache(REMEMBERED)(self._tokenised)

    def __len__(self) -> int:
        return len(self._places)

    def key(self, item: int) -> str:
        """Return what names an item in files about its data: row, sample's id, question's number.

        Folders that were made with one seed share their ids.
        """
        row, question = self._places[item]
        return f"{row}:{self._table.column('id')[row].as_py()}#{question}"

    def image(self, item: int) -> int:
        """Return the number of the sample that an item asks about."""
        return self._places[item][0]

    def sample(self, item: int) -> Sample:
        """Return the sample that an item asks about."""
        return self._sample(self._places[item][0])

    def facts(self, item: int) -> Sample:
        """Return the sample without its images, which take long to decode."""
        return self._truth(self._places[item][0])

    def question(self, item: int) -> Question:
        """Return the question with its truth."""
        row, number = self._places[item]
        return self._truth(row).questions[number]

    def prompt(self, item: int) -> Prompt:
        """Return the item as the policy reads it."""
        return self._tokens(item)

    def pixels(self, images: Sequence[int]) -> dict[str, torch.Tensor]:
        """Return what the policy sees of some samples, in their order."""
        rgbs, maps = zip(*(self._seen(image) for image in images), strict=True)
        return self._processor.pixels(rgbs, maps)

    def has_depth(self, image: int) -> bool:
        """Tell whether the policy sees depth with a sample."""
        return self._seen(image)[1] is not None

    def _read(self, row: int) -> Sample:
        return from_row(self._table.slice(row, 1).to_pylist()[0])

    def _read_facts(self, row: int) -> Sample:
        facts = from_row(self._facts.slice(row, 1).to_pylist()[0])
        return facts if facts.camera is not None else self._sample(row)

    def _tokenised(self, item: int) -> Prompt:
        image = self.image(item)
        rgb, depth_m = self._seen(image)
        ids = self._processor.prompt(self.question(item).text, rgb, depth_m, self._reason)
        return split_prompt(ids, image, self._visual)

    def _seen(self, image: int) -> tuple[NDArray[np.uint8], FloatArray | None]:
        sample = self._sample(image)
        return sample.rgb, sample.depth_m if self.use_depth else None


def split_prompt(ids: Sequence[int], image: int, visual: Container[int]) -> Prompt:
    """Return a prompt's tokens, taken apart behind the last one of `visual`."""
    end = max(place for place, token in enumerate(ids) if token in visual) + 1
    return Prompt(image, tuple(ids[:end]), tuple(ids[end:]))


def practice_order(
    items: Items,
    pool: Iterable[int],
    count: int,
    *,
    per_image: int,
    seed: int,
    accepts: Callable[[int], bool],
) -> list[int]:
    """Return `count` items of the pool in the order of a run.

    Every pass is a new permutation of images, with up to `per_image` questions of each side by
    side, where they share its encoding.

    Raises:
        RoboReferError: BAD_SAMPLE when not one item of the pool is accepted.
    """
    by_image: dict[int, list[int]] = {}
    for item in pool:
        by_image.setdefault(items.image(item), []).append(item)
    rng = np.random.default_rng(seed)
    images = sorted(by_image)
    order: list[int] = []
    while len(order) < count:
        before = len(order)
        for place in rng.permutation(len(images)):
            asked = rng.permutation(by_image[images[place]]).tolist()
            order += islice(filter(accepts, asked), per_image)
            if len(order) >= count:
                break
        if len(order) == before:
            raise RoboReferError(
                ErrorCode.BAD_SAMPLE,
                "The rewards of the mix can score none of the items.",
                "Take rewards out of the mix, or give data with what they read (key steps).",
            )
    return order[:count]


def _questions(table: pa.Table, kinds: Sequence[str], key_steps: int) -> list[tuple[int, int]]:
    """Return (row, number) of every question that is answered by pointing."""
    places = []
    first = 0
    for chunk in table.column("questions").chunks:
        questions = chunk.flatten()
        lengths = np.asarray(chunk.value_lengths().fill_null(0))
        rows = np.repeat(np.arange(len(lengths)) + first, lengths)
        numbers = np.concatenate([np.arange(n) for n in lengths] or [np.zeros(0, int)])
        for row, number, family, kind, steps in zip(
            rows.tolist(),
            numbers.tolist(),
            questions.field("family").to_pylist(),
            questions.field("kind").to_pylist(),
            questions.field("steps").value_lengths().to_pylist(),
            strict=True,
        ):
            wanted = (not kinds or kind in kinds) and (steps or 0) >= key_steps
            if wanted and family in POINTING:
                places.append((row, number))
        first += len(chunk)
    return places
