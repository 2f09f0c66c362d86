"""Two runs on the same questions: which is better, and is the difference more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import Interval, mcnemar, paired_bootstrap
from robo_refer_bench.predictions import Prediction, RunSettings, read_predictions
from robo_refer_bench.score import GROUPS

ItemPair = tuple[Prediction, Prediction]


@dataclass(frozen=True)
class Difference:
    """Two runs on one group of questions.

    Attributes:
        name: of the group.
        n: questions.
        first, second: hits of either run.
        only_first, only_second: questions that only one of them got right.
        difference: accuracy of the first minus that of the second, with a 95 % interval from a
            paired bootstrap over frames.
        p_value: exact McNemar test that both are equally often right.
    """

    name: str
    n: int
    first: int
    second: int
    only_first: int
    only_second: int
    difference: Interval
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """Two runs with their differences by group; `left_out` were asked in one run only."""

    first: RunSettings
    second: RunSettings
    left_out: int
    groups: tuple[Difference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return asdict(self)


def compare(first: Path, second: Path) -> Comparison:
    """Compare two files of predictions on the questions that both answered.

    Raises:
        RoboReferError: BAD_FILE when one cannot be read, BAD_REQUEST when they are about
            different data or have no question in common.
    """
    (settings_a, predictions_a), (settings_b, predictions_b) = map(
        read_predictions, (first, second)
    )
    if settings_a.data_hash != settings_b.data_hash:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{first} is about {settings_a.data} ({settings_a.data_hash}), {second} about "
            f"{settings_b.data} ({settings_b.data_hash}).",
            "Run both models on the same data.",
        )
    by_item = {prediction.item: prediction for prediction in predictions_b}
    pairs = [(a, by_item[a.item]) for a in predictions_a if a.item in by_item]
    if not pairs:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{first} and {second} have no question in common.",
            "Run both models on the same half.",
        )
    found = [
        difference(name, chosen)
        for name, chooses in GROUPS.items()
        if (chosen := [pair for pair in pairs if chooses(pair[0])])
    ]
    left_out = len(predictions_a) + len(predictions_b) - 2 * len(pairs)
    return Comparison(settings_a, settings_b, left_out, tuple(found))


def difference(name: str, pairs: Sequence[ItemPair]) -> Difference:
    """Return how two runs differ on some questions."""
    first = [a.hit for a, _ in pairs]
    second = [b.hit for _, b in pairs]
    return Difference(
        name=name,
        n=len(pairs),
        first=sum(first),
        second=sum(second),
        only_first=sum(a and not b for a, b in zip(first, second, strict=True)),
        only_second=sum(b and not a for a, b in zip(first, second, strict=True)),
        # Questions about one frame are not independent: frames are drawn, not questions.
        difference=paired_bootstrap(first, second, groups=[a.sample for a, _ in pairs]),
        p_value=mcnemar(first, second),
    )
