"""What an answer to an item is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics.hits import score_answer
from robo_refer.preprocess import Letterbox, PreprocessSpec
from robo_refer.types import Answer
from robo_refer_train.items import Items
from robo_refer_train.rewards import MixedScore, RewardMix, Truth, Written, read_written, truth_of

FRAME_WIDTH_PX = 960
"""The paper's distances are pixels of images of this width."""


class ItemScorer:
    """Rewards answers to items; the model's coordinates are those of its canvas."""

    def __init__(self, items: Items, mix: RewardMix, spec: object) -> None:
        self._items, self._mix, self._spec = items, mix, spec
        self._accepted: dict[int, bool] = {}

    def truth(self, item: int) -> Truth:
        """Return what is known about an item, distances in a frame as wide as the paper's."""
        sample = self._items.facts(item)
        width, height = sample.size
        frame = (FRAME_WIDTH_PX, round(FRAME_WIDTH_PX * height / width))
        return truth_of(sample, self._items.question(item), frame)

    def accepts(self, item: int) -> bool:
        """Tell whether every reward of the mix can score answers to an item."""
        if item not in self._accepted:
            try:
                self._mix.check(self.truth(item))
                self._accepted[item] = True
            except RoboReferError as error:
                if error.code is not ErrorCode.BAD_SAMPLE:
                    raise
                self._accepted[item] = False
        return self._accepted[item]

    def __call__(self, items: Sequence[int], texts: Sequence[str]) -> list[MixedScore]:
        """Return the score of every text as an answer to its item."""
        pairs = [
            (self._on_image(read_written(text), item), self.truth(item))
            for item, text in zip(items, texts, strict=True)
        ]
        return self._mix(pairs)

    def is_right(self, item: int, text: str) -> bool:
        """Tell whether a text answers its item, by the definition that benchmarks use."""
        written = self._on_image(read_written(text), item)
        answer = None if written.points is None else Answer(written.points)
        return score_answer(answer, self._items.question(item))

    def _on_image(self, written: Written, item: int) -> Written:
        if not isinstance(self._spec, PreprocessSpec):  # tiles are stretched over the whole image
            return written
        box = Letterbox(*self._items.facts(item).size, self._spec.width, self._spec.height)
        if box.corner == (0, 0):
            return written
        points = written.points and tuple(box.to_image(point) for point in written.points)
        steps = tuple(
            replace(step, value=box.to_image((step.value[0], step.value[1])))
            if step.kind == "position"
            else step
            for step in written.steps
        )
        return replace(written, points=points, steps=steps)
