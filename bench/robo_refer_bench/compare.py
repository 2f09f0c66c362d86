"""Two runs on the same questions: which is better, and is the difference more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import Interval, mcnemar, paired_bootstrap
from robo_refer_bench.groups import groups_of
from robo_refer_bench.recordings import Loaded, load
from robo_refer_bench.scored import Scored

ItemPair = tuple[Scored, Scored]


@dataclass(frozen=True)
class Difference:
    """Two runs on one group of questions.

    Attributes:
        name: of the group.
        n: questions.
        first, second: hits of either run.
        only_first, only_second: questions that only one of them got right.
        difference: accuracy of the first minus that of the second, with a 95 % interval from a
            paired bootstrap over pictures.
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
    """Two runs with their differences by group.

    Attributes:
        first, second: how either was asked.
        left_out: questions that only one of them was to be asked.
        no_answer: of the others, how many either run's file says nothing of; they are its misses.
        groups: the differences.
    """

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    left_out: int
    no_answer: tuple[int, int]
    groups: tuple[Difference, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return asdict(self)


def compare(first: Path, second: Path, root: Path | None = None) -> Comparison:
    """Compare two files of answers on the questions that both were asked.

    A question that one of them failed to answer is a miss of that one.

    Args:
        first, second: written by 'robo-refer bench run --out'.
        root: where the suites' data lies, if it is no longer where the runs found it.

    Raises:
        RoboReferError: BAD_FILE when one cannot be read, BAD_REQUEST when they are about
            different data or have no question in common.
    """
    one, other = load(first, root), load(second, root)
    _check_same_data(one, other, first, second)
    by_key = {scored.asked.key: scored for scored in other.scored}
    pairs = [(a, by_key[a.asked.key]) for a in one.scored if a.asked.key in by_key]
    if not pairs:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{first} and {second} have no question in common.",
            "Run both models on the same half.",
        )
    second_of = {a.asked.key: b for a, b in pairs}
    found = [
        difference(name, [(a, second_of[a.asked.key]) for a in items])
        for name, items in groups_of([a for a, _ in pairs]).items()
    ]
    left_out = len(one.scored) + len(other.scored) - 2 * len(pairs)
    no_answer = sum(a.record is None for a, _ in pairs), sum(b.record is None for _, b in pairs)
    return Comparison(one.settings, other.settings, left_out, no_answer, tuple(found))


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
        # Questions about one picture are not independent: pictures are drawn, not questions.
        difference=paired_bootstrap(first, second, groups=[a.picture for a, _ in pairs]),
        p_value=mcnemar(first, second),
    )


def _check_same_data(one: Loaded, other: Loaded, first: Path, second: Path) -> None:
    for part, asked in one.settings["data"].items():
        also = other.settings["data"].get(part, asked)
        if asked["hash"] != also["hash"]:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{first} is about {part} as in {asked['name']} ({asked['hash']}), {second} "
                f"as in {also['name']} ({also['hash']}).",
                "Run both models on the same data.",
            )
