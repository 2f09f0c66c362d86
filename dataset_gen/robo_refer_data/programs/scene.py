"""`Scene`: an observation with its facts and, computed once when first needed, its relations."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from robo_refer_data.language.vocabulary import PARTLY
from robo_refer_data.observation import Observation
from robo_refer_data.programs.types import ANY, Filter
from robo_refer_data.relations import ANCHORED, Facts, listed  # noqa: F401 - registers them
from robo_refer_data.relations.between import between
from robo_refer_data.relations.free_space import FreeSpace
from robo_refer_data.relations.order import ordered
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY
from robo_refer_data.relations.registry import RELATIONS, UNSURE, YES, Truth


class Scene:
    """What programs are executed on."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.facts = Facts(observation)
        self.n = self.facts.n
        self._relations: dict[str, list[int]] = {}
        self._truths: dict[str, Truth] = {}
        self._standing: dict[tuple[str, Filter], list[int]] = {}
        self._matching: dict[Filter, list[int]] = {}
        self._orders: dict[tuple[str, Filter], tuple[list[int], list[int]]] = {}

    def relation(self, name: str) -> list[int]:
        """Return the outcome of an anchored relation for every object as anchor."""
        if name not in self._relations:
            self._relations[name] = [int(value) for value in ANCHORED[name](self.facts)]
        return self._relations[name]

    def truth(self, name: str) -> Truth:
        """Return the truth of a relation of `RELATIONS`, computed once."""
        if name not in self._truths:
            self._truths[name] = RELATIONS[name].decide(self.facts)
        return self._truths[name]

    def standing(self, name: str, of: Filter) -> list[int]:
        """Return, per anchor, the one object of which a relation is true, EMPTY or AMBIGUOUS.

        Args:
            name: a pair relation; or a single one, which has one outcome instead of one per anchor.
            of: who may be meant: two objects at least beside the anchor, or the relation would
                not be needed.
        """
        if (name, of) not in self._standing:
            asked = list(dict.fromkeys((*self.groups, of)))
            outcomes = self._all_standing(name, asked)
            self._standing |= {
                (name, one): found for one, found in zip(asked, outcomes, strict=True)
            }
        return self._standing[name, of]

    def _all_standing(self, name: str, wanted: list[Filter]) -> list[list[int]]:
        """Return the outcomes of `standing` for several filters at once: (filters, anchors)."""
        truth = self.truth(name).reshape(self.n, -1)
        among = np.zeros((len(wanted), self.n, 1), bool)
        for row, one in enumerate(wanted):
            among[row, self.matching(one)] = True
        asked = np.broadcast_to(among, (len(wanted), *truth.shape))
        if truth.shape[1] == self.n:  # nothing is asked of the anchor itself
            asked = asked & ~np.eye(self.n, dtype=bool)
        true = asked & (truth == YES)
        unsure = (asked & (truth == UNSURE)).any(axis=1)
        count = true.sum(axis=1)
        clear = ~unsure & (count <= 1) & (asked.sum(axis=1) >= 2)
        nothing = AMBIGUOUS if len(self.facts.unlisted_ids) else EMPTY
        found = np.where(count == 1, true.argmax(axis=1), nothing)
        outcomes: list[list[int]] = np.where(clear, found, AMBIGUOUS).tolist()
        return outcomes

    @cached_property
    def groups(self) -> list[Filter]:
        """All objects, and the names and colours that several objects share."""
        offered = [ANY, *(Filter(name=name) for name in dict.fromkeys(self.facts.names))]
        offered += [Filter(colour=c) for c in dict.fromkeys(self.facts.colours) if c]
        return [one for one in offered if len(self.matching(one)) > 1]

    def matching(self, wanted: Filter) -> list[int]:
        """Return the indices of the objects that a filter lets through."""
        if wanted not in self._matching:
            self._matching[wanted] = self.facts.matching(
                wanted.name, wanted.colour, wanted.material
            )
        return self._matching[wanted]

    def ordered(self, axis: str, of: Filter) -> tuple[list[int], list[int]]:
        """Return the objects that match `of` in an order, and its safe ranks (see `ordered`)."""
        if (axis, of) not in self._orders:
            self._orders[axis, of] = ordered(self.facts, axis, self.matching(of))
        return self._orders[axis, of]

    @cached_property
    def between(self) -> dict[tuple[int, int], int]:
        """The objects between pairs, {(first, second): answer}, first < second."""
        return between(self.facts)

    @cached_property
    def references(self) -> list[list[Filter]]:
        """Of every object, the filters that let only this object through."""
        return [self._singling_out(index) for index in range(self.n)]

    def _singling_out(self, index: int) -> list[Filter]:
        facts = self.facts
        name, colour, material = facts.names[index], facts.colours[index], facts.materials[index]
        offered = [Filter(name=name)]
        if colour:
            offered += [Filter(name=name, colour=colour), Filter(colour=colour)]
        if material and not self._passes_for(material, index):
            offered.append(Filter(material=material))
        if material and len(self.matching(Filter(name=name))) > 1:
            offered.append(Filter(name=name, material=material))
        return [wanted for wanted in offered if len(self.matching(wanted)) == 1]

    def _passes_for(self, material: str, index: int) -> bool:
        """Whether another object than this might be said to be made of a material."""
        partly = PARTLY.get(material, frozenset())
        return any(self.facts.names[other] in partly for other in range(self.n) if other != index)

    @cached_property
    def free_space(self) -> FreeSpace:
        """The free parts of the table."""
        return FreeSpace(self.facts)
