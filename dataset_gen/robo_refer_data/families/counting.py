"""How many objects there are, of a name or colour, or in a relation to another.

Asked only where nothing is visible that is too small to be listed, and where the relation is clear
for every object.
"""

from __future__ import annotations

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.language.vocabulary import alike, near_colours
from robo_refer_data.relations.registry import UNSURE, YES

FORMS = (
    "how many {things} are {where}?",
    "count the {things} that are {where}",
    "what is the number of {things} that are {where}?",
    "how many {things} do you see {where}?",
    "can you count the {things} {where}?",
    "tell me how many {things} are {where}",
    "the number of {things} {where}",
)
THINGS = ("objects", "things", "items")
ANYWHERE = ("in the scene", "here", "in the picture", "visible")
IRREGULAR = {"knife": "knives", "scissors": "pairs of scissors", "shelf": "shelves"}
MOST_LISTED = 5


class Counting:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._left: list[tuple[str, str, int]] = []
        facts = teller.scene.facts
        if len(facts.unlisted_ids):
            return
        self._left += [("name", name, -1) for name in dict.fromkeys(facts.names)]
        self._left += [("colour", c, -1) for c in dict.fromkeys(facts.colours) if c]
        self._left += [
            ("related", name, reference)
            for name in PAIRS
            for reference in teller.describable()
            if (teller.truth(name)[:, reference] == UNSURE).sum() == 1  # itself
        ]

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            kinds = sorted({kind for kind, _, _ in self._left})
            kind = teller.one(kinds)
            among = [item for item in self._left if item[0] == kind]
            item = teller.one(among)
            self._left.remove(item)
            question = self._question(*item)
            if question is not None:
                return question
        return None

    def _question(self, kind: str, word: str, reference: int) -> Question | None:
        teller, facts = self._teller, self._teller.scene.facts
        things, where = teller.one(THINGS), teller.one(ANYWHERE)
        if kind == "name":
            counted = facts.matching(word)
            things = plural(word)
            arguable = any(other != word and alike(other, word) for other in facts.names)
        elif kind == "colour":
            counted = facts.matching(colour=word)
            things = f"{word} {things}"
            others = [i for i in range(facts.n) if i not in counted]
            arguable = any(near_colours(facts.colours[i], word) for i in others)
        else:
            counted = [int(i) for i in (teller.truth(word)[:, reference] == YES).nonzero()[0]]
            anchor = teller.describe(reference)
            arguable = anchor is None
            where = f"{teller.says(word)} {anchor}"
        if arguable:
            return None
        text = teller.one(FORMS).format(things=things, where=where)
        about = ([reference] if reference >= 0 else []) + counted
        listed = about if len(about) <= MOST_LISTED else []
        name = word if kind == "related" else kind
        return teller.question(
            "counting", name, text, str(len(counted)), listed, value=len(counted)
        )


def plural(name: str) -> str:
    """Return the plural of an object's name."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")
