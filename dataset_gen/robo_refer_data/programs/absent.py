"""Asks for what is not there, in words that are as common for what is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from robo_refer_data.language.vocabulary import alike, near_colours
from robo_refer_data.programs.catalogue import Entry, catalogue
from robo_refer_data.programs.execute import execute
from robo_refer_data.programs.sampling import Sampler
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    AnyProgram,
    Filter,
    Free,
    Ordinal,
    Program,
    Relate,
    anchors,
    with_anchors,
)
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY

ABSENT = ("absent_name", "absent_colour_name", "absent_relation", "absent_composed")

_ANCHORED = (
    "left_of",
    "right_of",
    "front_of",
    "behind",
    "nearest_to",
    "just_nearer",
    "on_top_of",
    "inside",
    "under",
)
_MAX_COUNTED = 3
"""Highest rank asked for in vain: higher ones are so rare that they would give it away."""

_TRIES = 6


class AbsentSampler:
    """Draws programs that have no answer in one scene."""

    def __init__(self, scene: Scene, rng: np.random.Generator, sampler: Sampler) -> None:
        self._scene = scene
        self._rng = rng
        self._sampler = sampler

    def draw(self, kind: str, answered: Sequence[str] = ()) -> AnyProgram | None:
        """Return a program of one of ABSENT, or None where none was found.

        Args:
            kind: of the question.
            answered: kinds of KINDS that "absent_composed" is made from.
        """
        if self._scene.n == 0:
            return None
        if kind == "absent_relation":
            found = (self._relation() for _ in range(_TRIES))
            return next((program for program in found if program is not None), None)
        if kind == "absent_composed":
            return self._composed(answered)
        return self._name() if kind == "absent_name" else self._colour_name()

    def _composed(self, answered: Sequence[str]) -> AnyProgram | None:
        """A question that has an answer, with one of the things that it names replaced."""
        for _ in range(_TRIES):
            program = self._sampler.sample(self._pick(answered)) if answered else None
            missing = self._name() if self._rng.random() < 0.5 else self._colour_name()
            if program is None or missing is None or not anchors(program):
                continue
            changed = self._replaced(program, missing)
            found = changed and [execute(anchor, self._scene) for anchor in anchors(changed)]
            if found and EMPTY in found and AMBIGUOUS not in found:
                return changed
        return None

    def _replaced(self, program: AnyProgram, missing: Filter) -> AnyProgram | None:
        """Return the program with the innermost description of one of its anchors replaced."""
        inner = list(anchors(program))
        place = int(self._rng.integers(len(inner)))
        if isinstance(inner[place], Filter):
            inner[place] = missing
        else:
            deeper = self._replaced(inner[place], missing) if anchors(inner[place]) else None
            if deeper is None or isinstance(deeper, Free):
                return None
            inner[place] = deeper
        return with_anchors(program, inner)

    def _name(self) -> Filter | None:
        """A name that is not there, alone or with one of its colours."""
        entry = self._missing()
        if entry is None:
            return None
        coloured = bool(entry.colours) and self._rng.random() < 0.5
        return Filter(name=entry.name, colour=self._pick(entry.colours) if coloured else "")

    def _missing(self) -> Entry | None:
        entries = catalogue(self._scene.observation.assets)
        weights = np.array([entry.weight for entry in entries])
        names = set(self._scene.facts.names)
        for _ in range(_TRIES):
            entry = entries[int(self._rng.choice(len(entries), p=weights / weights.sum()))]
            if not any(alike(entry.name, name) for name in names):
                return entry
        return None

    def _colour_name(self) -> Filter | None:
        """A name that is there, in a colour that it also comes in but does not have here."""
        facts = self._scene.facts
        for _ in range(_TRIES):
            name = facts.names[int(self._rng.integers(self._scene.n))]
            entries = catalogue(self._scene.observation.assets)
            offered = next((e.colours for e in entries if e.name == name), ())
            like = [i for i in range(self._scene.n) if alike(facts.names[i], name)]
            free = [
                colour
                for colour in offered
                if not any(near_colours(colour, facts.colours[i]) for i in like)
            ]
            if free:
                return Filter(name=name, colour=self._pick(free))
        return None

    def _relation(self) -> Program | None:
        draw = self._rng.random()
        if draw > 0.85:
            return self._too_high_rank()
        # Only relations in which something does stand here: where nothing is stacked, asking for
        # what is "on top of" something would always be in vain.
        common = [name for name in _ANCHORED if max(self._scene.relation(name), default=-1) >= 0]
        if not common:
            return None
        relation = self._pick(common)
        return self._missing_anchor(relation) if draw < 0.3 else self._empty_relation(relation)

    def _missing_anchor(self, relation: str) -> Program | None:
        anchor = self._name() if self._rng.random() < 0.6 else self._colour_name()
        return Relate(relation, anchor) if anchor else None

    def _empty_relation(self, relation: str) -> Program | None:
        """A relation in which nothing stands to an object that is there."""
        outcomes = self._scene.relation(relation)
        described = [
            index
            for index in range(self._scene.n)
            if self._scene.references[index] and outcomes[index] == EMPTY
        ]
        if not described:
            return None
        filters = self._scene.references[described[int(self._rng.integers(len(described)))]]
        return Relate(relation, filters[int(self._rng.integers(len(filters)))])

    def _too_high_rank(self) -> Program | None:
        """The third of two: counting objects of a name beyond the last one."""
        facts = self._scene.facts
        if len(facts.unlisted_ids):
            return None
        name = facts.names[int(self._rng.integers(self._scene.n))]
        group = Filter(name=name)
        rank = len(self._scene.matching(group)) + 1
        similar = any(other != name and alike(other, name) for other in facts.names)
        if rank > _MAX_COUNTED or similar:
            return None
        return Ordinal(self._pick(("left", "right")), rank, group)

    def _pick(self, options: Sequence[str]) -> str:
        return options[int(self._rng.integers(len(options)))]
