"""How two objects lie to each other: everything clear that can be said, as a sentence."""

from __future__ import annotations

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import Teller
from robo_refer_data.relations.registry import RELATIONS, YES

SAID = (
    ("inside",),
    ("above_world", "below_world"),
    ("left", "right"),
    ("front", "behind"),
    ("touch",),
    ("far_from",),
    ("tall", "short"),
    ("big", "small"),
)
"""In this order; of a group at most one can hold."""

MOST = 4


class Fact:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        known = teller.describable()
        self._left = [(a, b) for a in known for b in known if a != b]

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            first, second = self._left.pop(int(teller.rng.integers(len(self._left))))
            true = self._true(first, second)
            subject, reference = teller.describe(first), teller.describe(second)
            if not true or subject is None or reference is None:
                continue
            said = [RELATIONS[name].says[0] for name in true]
            listed = said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
            text = teller.worded("fact", first=subject, second=reference)
            reply = f"{subject} is {listed} {reference}"
            return teller.question("fact", "pair", text, reply, (first, second), true=true)
        return None

    def _true(self, first: int, second: int) -> list[str]:
        found = [
            name
            for group in SAID
            for name in group
            if self._teller.truth(name)[first, second] == YES
        ]
        return found[:MOST]
