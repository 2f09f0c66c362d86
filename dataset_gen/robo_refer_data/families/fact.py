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

FORMS = (
    "how does {0} lie to {1}?",
    "where is {0} in relation to {1}?",
    "where is {0} relative to {1}?",
    "what is the position of {0} relative to {1}?",
    "describe how {0} relates to {1}",
    "describe the position of {0} with respect to {1}",
    "compare {0} with {1}",
    "compare the place and size of {0} and {1}",
    "tell me how {0} stands to {1}",
    "what can you say about {0} and {1}?",
    "say something true about {0} and {1}",
    "state the spatial relation between {0} and {1}",
)
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
            text = teller.one(FORMS).format(subject, reference)
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
