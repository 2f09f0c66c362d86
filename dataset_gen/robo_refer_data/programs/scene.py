"""`Scene`: an observation with its facts and, computed once when first needed, its relations."""

from __future__ import annotations

from functools import cached_property

from robo_refer_data.language.vocabulary import PARTLY
from robo_refer_data.observation import Observation
from robo_refer_data.programs.types import Filter
from robo_refer_data.relations import ANCHORED, Facts
from robo_refer_data.relations.between import between
from robo_refer_data.relations.free_space import FreeSpace


class Scene:
    """What programs are executed on."""

    def __init__(self, observation: Observation) -> None:
        self.observation = observation
        self.facts = Facts(observation)
        self.n = self.facts.n
        self._relations: dict[str, list[int]] = {}
        self._matching: dict[Filter, list[int]] = {}

    def relation(self, name: str) -> list[int]:
        """Return the outcome of an anchored relation for every object as anchor."""
        if name not in self._relations:
            self._relations[name] = [int(value) for value in ANCHORED[name](self.facts)]
        return self._relations[name]

    def matching(self, wanted: Filter) -> list[int]:
        """Return the indices of the objects that a filter lets through."""
        if wanted not in self._matching:
            self._matching[wanted] = self.facts.matching(
                wanted.name, wanted.colour, wanted.material
            )
        return self._matching[wanted]

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
