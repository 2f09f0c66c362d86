"""Whether a relation holds between two objects.

The relation is drawn first, among those that somewhere hold and somewhere do not; then a coin
decides the answer. Neither the words nor the relation then tell which it is.
"""

from __future__ import annotations

import numpy as np

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.relations.registry import NO, YES

FORMS = (
    "is {0} {says} {1}?",
    "is it true that {0} is {says} {1}?",
    "can you confirm that {0} is {says} {1}?",
    "would you say that {0} is {says} {1}?",
    "{0} is {says} {1}. true or false?",
    "tell me whether {0} is {says} {1}",
    "check whether {0} is {says} {1}",
    "do you see {0} {says} {1}?",
)
REPLIES = {YES: "yes", NO: "no"}
TRUE_FALSE = {YES: "true", NO: "false"}


class YesNo:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        known = np.zeros(teller.scene.n, bool)
        known[teller.describable()] = True
        self._left: dict[str, dict[int, list[tuple[int, int]]]] = {}
        for name in PAIRS:
            truth = teller.truth(name)
            found = {
                value: [
                    (int(a), int(b))
                    for a, b in np.argwhere((truth == value) & known[:, None] & known[None])
                ]
                for value in (YES, NO)
            }
            if found[YES] and found[NO]:
                self._left[name] = found

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            name = teller.one(list(self._left))
            value = YES if teller.rng.random() < 0.5 else NO
            pairs = self._left[name][value]
            if not pairs:  # dropped whole: answering with what is left would tip the balance
                del self._left[name]
                continue
            subject, reference = pairs.pop(int(teller.rng.integers(len(pairs))))
            first, second = teller.describe(subject), teller.describe(reference)
            if first is None or second is None:
                continue
            form = teller.one(FORMS)
            text = form.format(first, second, says=teller.says(name))
            reply = (TRUE_FALSE if "true or false" in form else REPLIES)[value]
            return teller.question("yes_no", name, text, reply, (subject, reference))
        return None
