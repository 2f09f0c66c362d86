"""Question families that are answered in words or numbers, one file each.

A family is a class whose `draw` returns another question about its scene, or None when the scene
allows no further one. Questions that are answered by pointing are composed in `programs`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from robo_refer.data.sample import Question
from robo_refer_data.families.choice import Choice
from robo_refer_data.families.counting import Counting
from robo_refer_data.families.fact import Fact
from robo_refer_data.families.numeric import Numeric
from robo_refer_data.families.teller import Teller
from robo_refer_data.families.yes_no import YesNo


class Family(Protocol):
    """Asks questions of one family about one scene."""

    def draw(self) -> Question | None:
        """Return a question that was not asked before, or None."""


SPOKEN: dict[str, Callable[[Teller], Family]] = {
    "yes_no": YesNo,
    "choice": Choice,
    "fact": Fact,
    "numeric": Numeric,
    "counting": Counting,
}
"""Every family that is answered in words, by its name."""

__all__ = ["SPOKEN", "Family", "Teller"]
