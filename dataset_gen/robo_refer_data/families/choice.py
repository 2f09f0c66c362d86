"""Which of three or four objects stands in a relation to another: multiple choice.

Exactly one option does, and every other option clearly does not. The right one's place is drawn
uniformly. Of two options a coin would be right too often.
"""

from __future__ import annotations

import numpy as np

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.relations.registry import NO, YES

LETTERS = "abcd"
LEAST, MOST = 3, len(LETTERS)


class Choice:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._names = list(PAIRS)
        self._left: dict[str, list[list[int]]] = {}

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._names:
            name = teller.one(self._names)
            pairs = self._pairs(name)
            if not pairs:
                self._names.remove(name)
                continue
            subject, reference = pairs.pop(int(teller.rng.random() * len(pairs)))
            question = self._question(name, subject, reference)
            if question is not None:
                return question
        return None

    def _pairs(self, name: str) -> list[list[int]]:
        """Return what may still be asked: (subject, reference) with enough wrong options."""
        if name not in self._left:
            known = self._teller.describable()
            truth = self._teller.truth(name)[known]
            enough = (truth == NO).sum(axis=0) >= LEAST - 1
            self._left[name] = [
                [known[subject], reference]
                for subject, reference in np.argwhere((truth == YES) & enough).tolist()
                if reference in known
            ]
        return self._left[name]

    def _question(self, name: str, subject: int, reference: int) -> Question | None:
        teller = self._teller
        wrong = [i for i in teller.describable() if teller.truth(name)[i, reference] == NO]
        others = min(int(teller.rng.integers(LEAST - 1, MOST)), len(wrong))
        shown = [subject, *teller.rng.choice(wrong, others, replace=False).tolist()]
        shown = [shown[place] for place in teller.rng.permutation(len(shown))]
        phrases = [teller.describe(index) for index in shown]
        anchor = teller.describe(reference)
        if anchor is None or None in phrases:
            return None
        options = ", ".join(f"({LETTERS[k]}) {phrase}" for k, phrase in enumerate(phrases))
        text = teller.worded("choice", anchor=anchor, says=teller.says(name), options=options)
        reply = f"({LETTERS[shown.index(subject)]})"
        chance = float(np.round(1 / len(shown), 4))
        return teller.question("choice", name, text, reply, (reference, subject), chance=chance)
