"""What the picture gives away: how often rules that never read a question point right.

A question that a rule of thumb answers teaches nothing and tests nothing. Every control of
`robo_refer.metrics.controls` answers the dataset's own questions; they are counted per family and
per relation that the question mentions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from robo_refer.data import Question, read_samples
from robo_refer.data.sample import POINTING
from robo_refer.metrics import score_answer, wilson
from robo_refer.metrics.controls import CONTROLS, control_points
from robo_refer.types import Answer
from robo_refer_data.relations.mentioned import relations_of

LIMIT = 0.40
"""Above this, surely (the whole interval), a group is called given away."""

MOST_SCENES = 1000
"""Scenes looked at: enough for intervals of a few points."""

_COLUMNS = ("questions", "objects")
_PICTURE_ONLY = tuple(name for name, control in CONTROLS.items() if control.picture_only)


@dataclass(frozen=True)
class Blind:
    """The picture-only rule that does best on a group of questions.

    Attributes:
        n: questions.
        rule: name of the rule.
        share: of them that it answers right, with its 95 % Wilson interval.
        low, high: the interval.
    """

    n: int
    rule: str
    share: float
    low: float
    high: float

    @property
    def gives_away(self) -> bool:
        """Whether the rule is right in more than `LIMIT` of such questions, beyond chance."""
        return self.low > LIMIT


def blind_stats(path: Path, most_scenes: int = MOST_SCENES) -> dict[str, dict[str, Blind]]:
    """Return {"families": {name: Blind}, "relations": {name: Blind}} of a dataset.

    Args:
        path: dataset folder or file.
        most_scenes: look at the first so many.
    """
    hits: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    asked: Counter[tuple[str, str]] = Counter()
    for sample in islice(read_samples(path, columns=_COLUMNS), most_scenes):
        for index, question in enumerate(sample.questions):
            if question.family not in POINTING:
                continue
            right = [
                name
                for name, points in control_points(sample, index).items()
                if name in _PICTURE_ONLY and score_answer(Answer(points), question)
            ]
            for group in _groups(question):
                asked[group] += 1
                hits[group].update(right)
    stats: dict[str, dict[str, Blind]] = {"families": {}, "relations": {}}
    for (table, name), n in sorted(asked.items()):
        rule, count = max(((r, hits[table, name][r]) for r in _PICTURE_ONLY), key=lambda x: x[1])
        found = wilson(count, n)
        stats[table][name] = Blind(n, rule, round(count / n, 4), found.low, found.high)
    return stats


def _groups(question: Question) -> Iterator[tuple[str, str]]:
    yield "families", question.family
    for relation in relations_of(question):
        yield "relations", relation


def blind_table(stats: dict[str, dict[str, Blind]]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = ["| questions | n | best rule | right | 95 % |", "|---|---:|---|---:|---:|"]
    for table in stats.values():
        for name, found in table.items():
            mark = " (!)" if found.gives_away else ""
            lines.append(
                f"| {name} | {found.n} | {found.rule} | {found.share:.2f}{mark} "
                f"| {found.low:.2f}-{found.high:.2f} |"
            )
    return lines
