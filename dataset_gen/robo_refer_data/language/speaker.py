"""`Speaker`: puts programs into words, with a random choice among paraphrases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import numpy as np

from robo_refer_data.language import vocabulary as words
from robo_refer_data.language.affordances import uses_of
from robo_refer_data.language.grammar import Grammar, worded
from robo_refer_data.language.varied import VARIED
from robo_refer_data.programs.types import (
    ANY,
    AnyProgram,
    Between,
    Compare,
    Filter,
    Free,
    Ordinal,
    Place,
    Program,
    Relate,
    Standing,
    Superlative,
)
from robo_refer_data.relations.registry import RELATIONS

T = TypeVar("T")


class Speaker:
    """Speaks about one scene.

    Args:
        rng: chooses among paraphrases.
        visible_names: names of the scene's objects, with repetitions.
        grammar: the paraphrases, PLAIN or VARIED.
        support: what the main support is called.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        visible_names: Iterable[str],
        grammar: Grammar = VARIED,
        support: str = "table",
    ) -> None:
        self._rng = rng
        self._names = list(visible_names)
        self._grammar = grammar
        self._support = support

    def instruction(self, program: AnyProgram) -> str:
        """Return an instruction that asks for the answer of `program`, lower case."""
        if isinstance(program, Compare):
            first, second = self.phrase(program.first), self.phrase(program.second)
            word = self._said(f"word_{program.attribute}")
            return self._said("compared", first=first, second=second, word=word)
        if isinstance(program, Free):
            return self._free(program)
        if self._rng.random() < words.REORDERED_SHARE:
            reordered = self._reordered(program)
            if reordered:
                return reordered
        return self._wrapped(self.phrase(program), "point")

    def phrase(self, program: Program) -> str:
        """Return a noun phrase with its article."""
        if isinstance(program, Filter):
            return self._filtered(program)
        if isinstance(program, Ordinal):
            return self._ordinal(program)
        if isinstance(program, Superlative):
            return self._superlative(program)
        if isinstance(program, (Relate, Standing, Between)):
            head, link = self._head(program), self._said("link")
            return " ".join(["the", head, *([link] if link else []), self._where(program)])
        raise TypeError(f"{program} cannot be said as a noun phrase.")

    def _where(self, program: Relate | Standing | Between) -> str:
        """Return where the answer is: "left of the mug"."""
        if isinstance(program, Between):
            return self._said("between", self.phrase(program.first), self.phrase(program.second))
        if isinstance(program, Relate):
            return self._said(program.relation, self.phrase(program.anchor))
        place = self._one(RELATIONS[program.relation].says)
        if program.anchor is None:
            return place.format(support=self._support)
        return f"{place} {self.phrase(program.anchor)}"

    def _head(self, program: Relate | Standing | Between) -> str:
        return self._noun(program.of if isinstance(program, Standing) else program.head)

    def _noun(self, of: Filter, thing: str = "thing") -> str:
        noun = of.name or self._said(thing)
        return f"{of.colour} {noun}" if of.colour else noun

    def _filtered(self, wanted: Filter) -> str:
        if wanted == Filter(name=wanted.name) and "use" in self._grammar:
            use = self._use(wanted.name)
            if use:
                return use
        noun = self._named(wanted.name) if wanted.name else self._said("thing")
        if wanted.colour and self._rng.random() < words.COLOUR_BEHIND_SHARE:
            return self._said("of_colour", noun=noun, colour=wanted.colour)
        if wanted.material and self._rng.random() < words.MATERIAL_BEHIND_SHARE:
            return self._said("of_material", noun=noun, material=wanted.material)
        material = words.MATERIAL_ADJECTIVES.get(wanted.material, wanted.material)
        return "the " + " ".join(word for word in (wanted.colour, material, noun) if word)

    def _use(self, name: str) -> str:
        """Return an object by what it is for, sometimes, and where nothing else is for that."""
        if self._rng.random() >= words.USE_SHARE:
            return ""
        uses = uses_of(name, [other for other in self._names if other != name])
        return self._said("use", done=self._one(uses).done) if uses else ""

    def _named(self, name: str) -> str:
        if self._rng.random() >= words.SYNONYM_SHARE:
            return name
        others = {other for other in self._names if other != name}
        safe = [
            synonym
            for synonym in words.SYNONYMS.get(name, ())
            if not any(words.alike(synonym, other) for other in others)
            and not any(words.alike(name, other) for other in others)
        ]
        return self._one(safe) if safe else name

    def _ordinal(self, program: Ordinal) -> str:
        symbol = "nth_from_front"
        if program.axis != "front":
            symbol = "first_on_side" if program.rank == 1 else "nth_on_side"
            # "the second from the left" leaves out what is counted, so it counts everything.
            if symbol == "nth_on_side" and program.of == ANY and self._rng.random() < 0.2:
                symbol = "nth_of_all"
        return self._said(
            symbol,
            rank=words.RANKS[program.rank],
            head=self._noun(program.of),
            side=program.axis,
        )

    def _superlative(self, program: Superlative) -> str:
        two = program.of != ANY and self._names.count(program.of.name) == 2
        degree = "more" if two and self._rng.random() < 0.5 else "most"
        return self._said(f"{degree}_{program.attribute}", head=self._noun(program.of))

    def _reordered(self, program: Program) -> str:
        """Return an instruction in another word order, where the grammar has one."""
        if isinstance(program, (Relate, Standing, Between)) and "placed" in self._grammar:
            of = program.of if isinstance(program, Standing) else program.head
            symbol = "related" if isinstance(program, Standing) else "placed"
            if of == ANY and self._rng.random() < 0.5:
                symbol = f"{symbol}_any"
            head = self._noun(of)
            return self._said(symbol, head=head, a_head=_a(head), place=self._where(program))
        if isinstance(program, Ordinal) and program.axis != "front" and "counted" in self._grammar:
            rank = words.RANKS[program.rank]
            head, heads = self._noun(program.of), self._plural(program.of)
            return self._said("counted", rank=rank, head=head, heads=heads, side=program.axis)
        if isinstance(program, Superlative) and "chosen" in self._grammar:
            word = self._said(f"superlative_{program.attribute}")
            head, heads = self._noun(program.of), self._plural(program.of)
            return self._said("chosen", word=word, head=head, heads=heads)
        return ""

    def _plural(self, of: Filter) -> str:
        noun = words.plural(of.name) if of.name else self._said("things")
        return f"{of.colour} {noun}" if of.colour else noun

    def _free(self, program: Free) -> str:
        places = [self._place(place) for place in program.places]
        if len(places) > 1 and self._rng.random() < 0.3:
            places.reverse()
        place = places[0]
        for other in places[1:]:
            place = self._said("both", first=place, second=other)
        if "put" in self._grammar and self._rng.random() < words.PUT_SHARE:
            return self._said("put", place=place)
        where = ""
        if program.places[0].kind != "on":
            where = self._said("on_support", support=self._support)
        noun = f"{self._said('free_noun')} {where}".strip()
        return self._wrapped(f"{noun} {place}", "point_free")

    def _place(self, place: Place) -> str:
        phrases = [self.phrase(anchor) for anchor in place.anchors]
        front = ""
        if place.part:
            short = len(phrases[0].split()) <= words.MOST_POSSESSIVE
            front = self._said("front_short" if short else "front", *phrases, part=place.part)
        far = ""
        if place.far_m:
            far = self._said("far", cm=f"{place.far_m * 100:.0f}", m=f"{place.far_m:g}")
        return self._said(f"free_{place.kind}", *phrases, front=front, far=far)

    def _wrapped(self, phrase: str, symbol: str) -> str:
        if self._rng.random() < words.BARE_SHARE:
            dropped = self._rng.random() < words.ARTICLE_DROPPED_SHARE
            text = phrase.removeprefix("the ") if dropped else phrase
        else:
            text = self._said(symbol, it=phrase)
        stop = text[-1] not in "?." and self._rng.random() < words.FULL_STOP_SHARE
        return text + "." if stop else text

    def _said(self, symbol: str, *places: str, **slots: str) -> str:
        return worded(self._grammar, self._rng, symbol, *places, **slots)

    def _one(self, options: Sequence[T]) -> T:
        return options[int(self._rng.random() * len(options))]


def _a(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
