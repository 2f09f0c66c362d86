"""Which of two to four objects stands in a relation to another: multiple choice.

Exactly one option does, and every other option clearly does not. The right one's place is drawn
uniformly.
"""

from __future__ import annotations

import numpy as np

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.relations.registry import NO, YES

FORMS = (
    "which of these is {says} {anchor}? {options}",
    "which one is {says} {anchor}? {options}",
    "what is {says} {anchor}? {options}",
    "choose what is {says} {anchor}: {options}",
    "pick the one that is {says} {anchor}: {options}",
    "one of these is {says} {anchor}. which? {options}",
    "{options}: which is {says} {anchor}?",
    "of the following, which is {says} {anchor}? {options}",
)
LETTERS = "abcd"
MOST = len(LETTERS)


class Choice:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        known = teller.describable()
        self._left: dict[str, list[tuple[int, int]]] = {}
        for name in PAIRS:
            truth = teller.truth(name)
            found = [
                (subject, reference)
                for reference in known
                if any(truth[other, reference] == NO for other in known)
                for subject in known
                if truth[subject, reference] == YES
            ]
            if found:
                self._left[name] = found

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            name = teller.one(list(self._left))
            pairs = self._left[name]
            subject, reference = pairs.pop(int(teller.rng.integers(len(pairs))))
            if not pairs:
                del self._left[name]
            question = self._question(name, subject, reference)
            if question is not None:
                return question
        return None

    def _question(self, name: str, subject: int, reference: int) -> Question | None:
        teller = self._teller
        wrong = [i for i in teller.describable() if teller.truth(name)[i, reference] == NO]
        others = min(int(teller.rng.integers(1, MOST)), len(wrong))
        shown = [subject, *teller.rng.choice(wrong, others, replace=False).tolist()]
        shown = [shown[place] for place in teller.rng.permutation(len(shown))]
        phrases = [teller.describe(index) for index in shown]
        anchor = teller.describe(reference)
        if anchor is None or None in phrases:
            return None
        options = ", ".join(f"({LETTERS[k]}) {phrase}" for k, phrase in enumerate(phrases))
        form = teller.one(FORMS)
        text = form.format(anchor=anchor, says=teller.says(name), options=options)
        reply = f"({LETTERS[shown.index(subject)]})"
        chance = float(np.round(1 / len(shown), 4))
        return teller.question("choice", name, text, reply, (reference, subject), chance=chance)
