"""What every card and `robo-refer data stats` show: what gives answers away, and the words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robo_refer_data.blind_stats import Blind, blind_stats, blind_table
from robo_refer_data.language_prior import Prior, language_prior, prior_table
from robo_refer_data.language_stats import Variety, language_stats, variety_table


@dataclass(frozen=True)
class Tables:
    """What a dataset gives away, and how varied its words are.

    Attributes:
        blind: the best rule that sees only the picture, per family and relation.
        prior: guesses that see only the text, per family.
        variety: of the texts, per family.
    """

    blind: dict[str, dict[str, Blind]]
    prior: dict[str, Prior]
    variety: dict[str, Variety]

    @classmethod
    def of(cls, path: Path) -> Tables:
        """Return the tables of a dataset folder or file."""
        return cls(blind_stats(path), language_prior(path), language_stats(path))

    def given_away(self) -> list[str]:
        """Return the names of families and relations that a control answers too often."""
        seen = [
            name for rows in self.blind.values() for name, row in rows.items() if row.gives_away
        ]
        return [*seen, *(name for name, row in self.prior.items() if row.gives_away)]

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {**asdict(self), "given_away": self.given_away()}

    def lines(self) -> list[str]:
        """Return all of it as Markdown."""
        return [
            _BLIND,
            *blind_table(self.blind),
            _PRIOR,
            *prior_table(self.prior),
            _WORDS,
            *variety_table(self.variety),
            "",
        ]


_BLIND = """## Answered without reading the question

The best of several rules that see only the picture (the lowest object, the largest ...), per family
and per relation that questions mention; (!) where it is surely right in more than 40 %.
"""
_PRIOR = """
## Answered without seeing the picture

A linear classifier of words, taught on half of the scenes, answers the other half; beside it one
and the same answer, and chance; (!) where it is surely right in more than 40 %, and in more than
chance and a tenth.
"""
_WORDS = """
## Words

Forms are texts with names, colours, numbers and relations replaced by slots.
"""
