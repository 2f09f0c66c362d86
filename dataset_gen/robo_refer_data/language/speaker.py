"""`Speaker`: puts programs into words, with a random choice among paraphrases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from robo_refer_data.language import vocabulary as words
from robo_refer_data.programs.types import (
    ANY,
    AnyProgram,
    Between,
    Compare,
    Filter,
    FreeBetween,
    FreeSide,
    Ordinal,
    Program,
    Relate,
    Standing,
    Superlative,
)
from robo_refer_data.relations.registry import RELATIONS


class Speaker:
    """Speaks about one scene.

    Args:
        rng: chooses among paraphrases.
        visible_names: names of the scene's objects, with repetitions.
    """

    def __init__(self, rng: np.random.Generator, visible_names: Iterable[str]) -> None:
        self._rng = rng
        self._names = list(visible_names)

    def instruction(self, program: AnyProgram) -> str:
        """Return an instruction that asks for the answer of `program`, lower case."""
        if isinstance(program, Compare):
            return self._comparison(program)
        if isinstance(program, (FreeSide, FreeBetween)):
            return self._wrapped(self._free(program), words.FREE_WRAPPERS)
        return self._wrapped(self.phrase(program), words.WRAPPERS)

    def phrase(self, program: Program) -> str:
        """Return a noun phrase with its article."""
        if isinstance(program, Filter):
            return self._filtered(program)
        if isinstance(program, Ordinal):
            return self._ordinal(program)
        if isinstance(program, Superlative):
            return self._superlative(program)
        if isinstance(program, Relate):
            place = self._one(words.RELATIONS[program.relation])
            place = place.format(self.phrase(program.anchor))
        elif isinstance(program, Standing):
            return self._standing(program)
        elif isinstance(program, Between):
            first, second = self.phrase(program.first), self.phrase(program.second)
            place = self._one(words.BETWEEN).format(first, second)
        else:
            raise TypeError(f"{program} cannot be said as a noun phrase.")
        return f"the {self._head(program.head)}{self._one(words.LINKS)}{place}"

    def _standing(self, program: Standing) -> str:
        place = self._one(RELATIONS[program.relation].says)
        if program.anchor is not None:
            place = f"{place} {self.phrase(program.anchor)}"
        return f"the {self._head(program.of)}{self._one(words.LINKS)}{place}"

    def _filtered(self, wanted: Filter) -> str:
        noun = self._named(wanted.name) if wanted.name else self._one(words.THINGS)
        if wanted.colour and self._rng.random() < 0.15:
            return f"the {noun} that is {wanted.colour}"
        if wanted.material and self._rng.random() < 0.3:
            return f"the {noun} made of {wanted.material}"
        material = words.MATERIAL_ADJECTIVES.get(wanted.material, wanted.material)
        return "the " + " ".join(word for word in (wanted.colour, material, noun) if word)

    def _head(self, head: Filter) -> str:
        noun = head.name or self._one(words.THINGS)
        return f"{head.colour} {noun}" if head.colour else noun

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
        if program.axis == "front":
            form = self._one(words.NTH_FROM_FRONT)
        else:
            forms = words.FIRST_ON_SIDE if program.rank == 1 else words.NTH_ON_SIDE
            # "the second from the left" leaves out what is counted, so it counts everything.
            form = self._one([f for f in forms if "{head}" in f or program.of == ANY])
        head, rank = self._head(program.of), words.RANKS[program.rank]
        return form.format(rank=rank, head=head, side=program.axis)

    def _superlative(self, program: Superlative) -> str:
        two = program.of != ANY and self._names.count(program.of.name) == 2
        forms = words.OF_TWO if two and self._rng.random() < 0.5 else words.SUPERLATIVES
        return self._one(forms[program.attribute]).format(head=self._head(program.of))

    def _comparison(self, program: Compare) -> str:
        return self._one(words.COMPARED).format(
            word=self._one(words.COMPARISONS[program.attribute]),
            first=self.phrase(program.first),
            second=self.phrase(program.second),
        )

    def _free(self, program: FreeSide | FreeBetween) -> str:
        noun = self._one(words.FREE_NOUNS) + self._one(words.ON_TABLE)
        if isinstance(program, FreeBetween):
            first, second = self.phrase(program.first), self.phrase(program.second)
            return f"{noun} {self._one(words.BETWEEN).format(first, second)}"
        place = self._one(words.FREE_SIDES[program.side]).format(self.phrase(program.anchor))
        return f"{noun} {place}"

    def _wrapped(self, phrase: str, wrappers: Sequence[str]) -> str:
        if self._rng.random() < words.BARE_SHARE:
            dropped = self._rng.random() < words.ARTICLE_DROPPED_SHARE
            text = phrase.removeprefix("the ") if dropped else phrase
        else:
            text = self._one(wrappers).format(phrase)
        stop = not text.endswith("?") and self._rng.random() < words.FULL_STOP_SHARE
        return text + "." if stop else text

    def _one(self, options: Sequence[str]) -> str:
        return options[int(self._rng.integers(len(options)))]
