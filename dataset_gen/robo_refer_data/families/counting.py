"""How many objects there are, of a name or colour, or in a relation to another.

Asked only where nothing is visible that is too small to be listed, and where the relation is clear
for every object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from robo_refer.data.sample import Question
from robo_refer_data.families.teller import PAIRS, Teller
from robo_refer_data.language.vocabulary import alike, near_colours, plural
from robo_refer_data.relations.registry import UNSURE, YES

THINGS = ("objects", "things", "items")
ANYWHERE = ("in the scene", "here", "in the picture", "visible")
MOST_LISTED = 5


@dataclass(frozen=True)
class _Item:
    """Something that can be counted: things of a name, of a colour, or in a relation."""

    kind: str
    word: str
    reference: int
    counted: tuple[int, ...]


class Counting:
    """Asks them about one scene.

    The number is drawn first, among those that something comes to: or most answers would be one.
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._left: dict[int, list[_Item]] = {}
        if not len(teller.scene.facts.unlisted_ids):
            for item in self._items():
                self._left.setdefault(len(item.counted), []).append(item)

    def _items(self) -> Iterator[_Item]:
        teller, facts = self._teller, self._teller.scene.facts
        for name in dict.fromkeys(facts.names):
            yield _Item("name", name, -1, tuple(facts.matching(name)))
        for colour in dict.fromkeys(facts.colours):
            if colour:
                yield _Item("colour", colour, -1, tuple(facts.matching(colour=colour)))
        for name in PAIRS:
            truth = teller.truth(name)
            clear = (truth == UNSURE).sum(axis=0) == 1  # of itself only
            for reference in teller.describable():
                if clear[reference]:
                    counted = (truth[:, reference] == YES).nonzero()[0].tolist()
                    yield _Item(name, name, reference, tuple(counted))

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            number = teller.one(sorted(self._left))
            items = self._left[number]
            kind = teller.one(sorted({item.kind for item in items}))
            item = teller.one([item for item in items if item.kind == kind])
            items.remove(item)
            if not items:
                del self._left[number]
            question = self._question(item)
            if question is not None:
                return question
        return None

    def _question(self, item: _Item) -> Question | None:
        teller = self._teller
        things, where = teller.one(THINGS), teller.one(ANYWHERE)
        if item.kind == "name":
            things = plural(item.word)
        elif item.kind == "colour":
            things = f"{item.word} {things}"
        else:
            where = f"{teller.says(item.word)} {teller.describe(item.reference)}"
        if self._is_arguable(item):
            return None
        text = teller.worded("counting", things=things, where=where)
        about = [*([item.reference] if item.reference >= 0 else []), *item.counted]
        listed = about if len(about) <= MOST_LISTED else []
        number = len(item.counted)
        return teller.question("counting", item.kind, text, str(number), listed, value=number)

    def _is_arguable(self, item: _Item) -> bool:
        """Whether a person might count something else too."""
        facts = self._teller.scene.facts
        if item.kind == "name":
            return any(other != item.word and alike(other, item.word) for other in facts.names)
        others = [index for index in range(facts.n) if index not in item.counted]
        return item.kind == "colour" and any(
            near_colours(facts.colours[index], item.word) for index in others
        )
