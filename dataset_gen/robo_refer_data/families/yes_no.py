"""Whether a relation holds between two objects.

The relation is drawn first, among those that somewhere hold and somewhere do not; then a coin
decides the answer. Neither the words nor the relation then tell which it is.
"""

from __future__ import annotations

import numpy as np

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.relations.registry import NO, UNSURE, YES

TRUE_FALSE_SHARE = 0.15
REPLIES = {YES: "yes", NO: "no"}
TRUE_FALSE = {YES: "true", NO: "false"}


class YesNo:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._names = list(PAIRS)
        self._left: dict[str, dict[int, list[list[int]]]] = {}

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._names:
            name = teller.one(self._names)
            value = YES if teller.rng.random() < 0.5 else NO
            pairs = self._pairs(name)[value]
            if not pairs:  # dropped whole: answering with what is left would tip the balance
                self._names.remove(name)
                continue
            subject, reference = pairs.pop(int(teller.rng.integers(len(pairs))))
            first, second = teller.describe(subject), teller.describe(reference)
            if first is None or second is None:
                continue
            true_false = teller.rng.random() < TRUE_FALSE_SHARE
            symbol = "true_false" if true_false else "yes_no"
            text = teller.worded(symbol, first=first, second=second, says=teller.says(name))
            reply = (TRUE_FALSE if true_false else REPLIES)[value]
            return teller.question("yes_no", name, text, reply, (subject, reference))
        return None

    def _pairs(self, name: str) -> dict[int, list[list[int]]]:
        """Return what may still be asked, (subject, reference) by the answer."""
        if name not in self._left:
            teller = self._teller
            known = np.zeros(teller.scene.n, bool)
            known[teller.describable()] = True
            truth = np.where(known[:, None] & known[None], teller.truth(name), UNSURE)
            found = {value: np.argwhere(truth == value).tolist() for value in (YES, NO)}
            self._left[name] = found if found[YES] and found[NO] else {YES: [], NO: []}
        return self._left[name]
