"""`ask`: questions about a rendered scene, each with its truth and checked to be unique."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from robo_refer.data import masks
from robo_refer.data.sample import FAMILIES, Question
from robo_refer.types import Answer, Step
from robo_refer_data.families import SPOKEN, Family, Teller
from robo_refer_data.language.fronts import FRONTS
from robo_refer_data.language.speaker import Speaker
from robo_refer_data.language.varied import GRAMMARS, Wording
from robo_refer_data.observation import Observation
from robo_refer_data.programs.absent import ABSENT, AbsentSampler
from robo_refer_data.programs.execute import execute, execute_region
from robo_refer_data.programs.kinds import KINDS, TRUE_OF
from robo_refer_data.programs.sampling import Sampler
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.steps import steps_to
from robo_refer_data.programs.types import (
    ANY,
    AnyProgram,
    Compare,
    Free,
    Known,
    Program,
    Superlative,
    anchors,
    chain,
)
from robo_refer_data.relations.extremes import EXTREMES
from robo_refer_data.relations.mentioned import relations_of

WEIGHTS: dict[str, float] = {
    # by their own attributes: 24
    "direct_name": 8.5,
    "direct_colour": 5,
    "direct_colour_name": 8,
    "direct_material": 2.5,
    # one relation, ordinal, superlative or comparison: 47
    "left_of": 5.5,
    "right_of": 5.5,
    "front_of": 4.5,
    "behind": 4.5,
    "nearest_to": 3,
    "farthest_from": 1,
    "just_nearer": 1.5,
    "on_top_of": 2.5,
    "inside": 1.5,
    "under": 2,
    "between": 1.5,
    "nth_left": 2,
    "nth_right": 2,
    "nth_front": 2,
    "nearest_camera": 2.5,
    "farthest_camera": 2,
    "biggest": 1,
    "smallest": 0.75,
    "tallest": 1,
    "shortest": 0.75,
    "nearer_of": 1.5,
    "taller_of": 0.75,
    "bigger_of": 0.75,
    # compositions: 14
    "two_step": 9.5,
    "three_step": 4.5,
    # free space: 10, where there is a main table
    "free_left_of": 1.8,
    "free_right_of": 1.8,
    "free_front_of": 1.8,
    "free_behind": 1.8,
    "free_between": 1.4,
    "free_two_step": 1.4,
    # free space by what points, by distances, and by several conditions: 8
    "place_on": 1,
    "place_facing": 1,
    "place_apart": 1,
    "place_both": 1.5,
    "place_aligned": 2.5,
    "place_reasoned": 2,
    # the only one that stands in a relation: 23
    "relation_second_nearest": 1,
    **dict.fromkeys((f"relation_{name}" for name in TRUE_OF), 1.0),
    # through two to five relations: 8
    "reasoning_2": 1,
    "reasoning_3": 1.5,
    "reasoning_4": 2.5,
    "reasoning_5": 3,
    # what is not there: 8
    "absent_name": 0.9,
    "absent_colour_name": 0.9,
    "absent_relation": 2.2,
    "absent_composed": 4,
    # answered in words
    "yes_no": 8,
    "choice": 8,
    "fact": 4,
    "numeric": 8,
    "counting": 5,
}
"""How often each kind is tried, relative to the others. Kinds that a scene does not allow are
passed over, so the rarer ones weigh more here than they come out."""

COMPOSABLE = tuple(
    key
    for key, kind in KINDS.items()
    for _ in range(1 + round(WEIGHTS[key]))
    if not key.startswith(("direct", "nth", "nearest_camera", "farthest_camera", "place_on"))
    and key not in EXTREMES
    and not key.endswith("er_of")
)
"""Kinds that refer to something: "absent_composed" takes one and makes that absent."""


def ask(
    observation: Observation,
    rng: np.random.Generator,
    count: int,
    families: Sequence[str] = FAMILIES,
    relations: Sequence[str] = (),
    wording: Wording = "varied",
) -> tuple[Question, ...]:
    """Return up to `count` questions about a scene, in random order.

    Every question was executed on the scene's ground truth: it means exactly one object, one free
    region, or clearly nothing. The same scene and generator state give the same questions.

    Args:
        observation: the scene.
        rng: the only source of randomness.
        count: how many questions at most; a scene of one object allows fewer.
        families: which families to ask.
        relations: ask only questions that are about none but these; empty for all.
        wording: how what is answered by pointing is asked: "plain" in few words.
    """
    asker = Asker(observation, rng, families, relations, wording)
    return tuple(question for question, _ in asker.ask(count))


def family_of(key: str) -> str:
    """Return the family of the questions behind a key of WEIGHTS."""
    if key in SPOKEN:
        return key
    return "absent" if key in ABSENT else KINDS[key].family


class Asker:
    """Asks about one scene; what is known about it is computed once."""

    def __init__(
        self,
        observation: Observation,
        rng: np.random.Generator,
        families: Sequence[str] = FAMILIES,
        relations: Sequence[str] = (),
        wording: Wording = "varied",
    ) -> None:
        self.scene = Scene(observation)
        self.sampler = Sampler(self.scene, rng)
        self._absent = AbsentSampler(self.scene, rng, self.sampler)
        names, support = self.scene.facts.names, observation.support_name
        self._speaker = Speaker(rng, names, GRAMMARS[wording], support)
        self._teller = Teller(self.scene, rng, self._description, self._short_name)
        self._spoken: dict[str, Family] = {}
        self._families, self._relations = families, frozenset(relations)
        self._composable = [key for key in COMPOSABLE if family_of(key) in families]
        self._rng = rng

    def ask(self, count: int) -> list[tuple[Question, AnyProgram | None]]:
        """Return up to `count` questions, see the function `ask`, and what they mean.

        Questions that are answered in words have no program.
        """
        weights = {key: w for key, w in WEIGHTS.items() if family_of(key) in self._families}
        found: dict[str, tuple[Question, AnyProgram | None]] = {}
        while len(found) < count and weights:
            key = self._drawn(weights)
            asked = self._asked(key)
            if asked is None:
                del weights[key]
                continue
            if not self._relations or relations_of(asked[0]) <= self._relations:
                found.setdefault(asked[0].text, asked)
        return list(found.values())

    def _asked(self, key: str) -> tuple[Question, AnyProgram | None] | None:
        if key in SPOKEN:
            if key not in self._spoken:
                self._spoken[key] = SPOKEN[key](self._teller)
            question = self._spoken[key].draw()
            return None if question is None else (question, None)
        if key in ABSENT:
            program = self._absent.draw(key, self._composable)
        else:
            program = self.sampler.draw(key)
        return None if program is None else (self._question(key, program), program)

    def _description(self, index: int) -> str | None:
        program = self.sampler.described(Known(index))
        return None if program is None else self._speaker.phrase(program)

    def _drawn(self, weights: dict[str, float]) -> str:
        """Return a key, by the weights."""
        bounds = list(accumulate(weights.values()))
        place = bisect_right(bounds, self._rng.random() * bounds[-1])
        return list(weights)[min(place, len(bounds) - 1)]

    def _question(self, key: str, program: AnyProgram) -> Question:
        text = self._speaker.instruction(program)
        if key in ABSENT:
            return self._absent_question(key, program, text)
        if isinstance(program, Free):
            return self._free_question(key, program, text)
        scene = self.scene
        target = execute(program, scene)
        item = scene.observation.objects[target]
        steps, step_ids = self._steps(program)
        return Question(
            kind=KINDS[key].name or key,
            family=KINDS[key].family,
            hops=_hops(program),
            text=text,
            answer=Answer((item.point_norm,), steps),
            target_ids=(item.id,),
            mask=item.mask,
            step_ids=step_ids,
            tags=self._tags(program) | self._target_tags(program, target),
        )

    def _free_question(self, key: str, program: Free, text: str) -> Question:
        region = execute_region(program, self.scene)
        if region is None:
            raise ValueError("A sampled free-space program must have a region.")
        steps, step_ids = self._steps(program)
        return Question(
            kind=KINDS[key].name or key,
            family=KINDS[key].family,
            hops=_hops(program),
            text=text,
            answer=Answer((region.point_norm,), steps),
            target_ids=(),
            mask=masks.encode(region.mask),
            step_ids=step_ids,
            tags=self._tags(program),
        )

    def _absent_question(self, key: str, program: AnyProgram, text: str) -> Question:
        steps, step_ids = self._steps(program)
        return Question(
            kind=key,
            family="absent",
            hops=_hops(program),
            text=text,
            answer=Answer((), steps),
            target_ids=(),
            mask=None,
            step_ids=step_ids,
            tags=self._tags(program),
        )

    def _steps(self, program: AnyProgram) -> tuple[tuple[Step, ...], tuple[int, ...]]:
        """Return the reasoning steps up to the answer, and the object that each is about."""
        objects, facts = self.scene.observation.objects, self.scene.facts
        steps: list[Step] = []
        ids: list[int] = []
        for what, index in steps_to(program, self.scene):
            if index < 0:  # the anchor of an absent relation is itself absent
                break
            phrase, item = self._short_name(index), objects[index]
            if what == "position":
                steps.append(Step("position", phrase, item.point_norm))
            elif what == "front":
                part = FRONTS.get(item.name, "")
                front = facts.front_cam(index)
                steps.append(Step("orientation", f"{phrase} {part}".strip(), front))
            else:
                steps.append(Step("size", phrase, (float(getattr(facts, what)[index]),)))
            ids.append(item.id)
        return tuple(steps), tuple(ids)

    def _short_name(self, index: int) -> str:
        """Return a short noun phrase: the name, with the colour where the name is shared."""
        facts = self.scene.facts
        shared = facts.names.count(facts.names[index]) > 1
        words = (facts.colours[index], facts.names[index]) if shared else (facts.names[index],)
        return " ".join(words).strip()

    def _tags(self, program: AnyProgram) -> dict[str, Any]:
        return {"half": self.scene.observation.half, "chain": chain(program)}

    def _target_tags(self, program: Program, target: int) -> dict[str, Any]:
        """Return the facts about a target by which scores are split."""
        facts = self.scene.facts
        tags: dict[str, Any] = {
            "name_unique": facts.names.count(facts.names[target]) == 1,
            "colour_unique": facts.colours.count(facts.colours[target]) == 1,
        }
        among: list[int] = []
        if isinstance(program, Compare):
            among = [execute(anchor, self.scene) for anchor in anchors(program)]
        elif isinstance(program, Superlative) and program.of != ANY:
            among = self.scene.matching(program.of)
        if among:
            tags["candidates"] = [facts.ids[index] for index in among]
        return tags


def _hops(program: AnyProgram) -> int:
    """Return the number of relations, ordinals and comparisons on the longest way to the answer."""
    inner = max((_hops(anchor) for anchor in anchors(program)), default=0)
    return inner + (1 if chain(program) else 0)
