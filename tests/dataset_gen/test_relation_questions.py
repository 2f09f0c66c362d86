"""Questions by the registered relations, and reasoning through up to five of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from robo_refer.errors import RoboReferError
from robo_refer_data.plan import Plan
from robo_refer_data.programs.execute import execute
from robo_refer_data.programs.kinds import KINDS, MOST_STEPS, TRUE_OF
from robo_refer_data.programs.necessity import without_a_step
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.steps import passed_through
from robo_refer_data.programs.types import ANY, Filter, Known, Relate, Standing
from robo_refer_data.questions import Asker, ask
from robo_refer_data.relations.mentioned import BEHIND_OPERATIONS, relations_of
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY
from robo_refer_data.relations.registry import NO, RELATIONS, UNSURE, YES
from tests.dataset_gen.made_scenes import made_scene

SEEDS = range(24)


@cache
def asked(seed: int, half: str = "decorrelated"):
    asker = Asker(made_scene(seed, half), np.random.default_rng(seed), ("relation", "reasoning"))
    return asker.scene, asker.ask(16)


def everything():
    return [(asked(seed)[0], *pair) for seed in SEEDS for pair in asked(seed)[1]]


def test_exactly_one_object_stands_in_the_relation_and_the_others_clearly_do_not() -> None:
    checked = 0
    for scene, question, program in everything():
        if question.family != "relation":
            continue
        anchor = execute(program.anchor, scene) if program.anchor else None
        truth = scene.truth(program.relation)
        said = truth if anchor is None else truth[:, anchor]
        among = [index for index in scene.matching(program.of) if index != anchor]
        target = scene.facts.index_of[question.target_ids[0]]
        assert len(among) >= 2
        assert {int(said[i]) for i in among if i != target} == {NO}
        assert said[target] == YES
        checked += 1
    assert checked > 50


def test_standing_is_ambiguous_when_unsure_and_empty_when_clearly_nothing() -> None:
    scene = Scene(made_scene(3, "decorrelated"))
    found = set()
    for name in TRUE_OF:
        truth = scene.truth(name).reshape(scene.n, -1)
        for anchor, outcome in enumerate(scene.standing(name, ANY)):
            rows = [i for i in range(scene.n) if truth.shape[1] == 1 or i != anchor]
            values = [int(truth[i, anchor]) for i in rows]
            if UNSURE in values or values.count(YES) > 1:
                assert outcome == AMBIGUOUS
            elif YES not in values:
                assert outcome in (EMPTY, AMBIGUOUS)
            else:
                assert outcome == rows[values.index(YES)]
            found.add(min(outcome, 0))
    assert found == {AMBIGUOUS, EMPTY, 0}


def test_with_one_candidate_the_relation_is_not_needed_and_never_asked() -> None:
    scene = Scene(made_scene(3, "decorrelated"))
    single = next(f for filters in scene.references for f in filters)
    assert set(scene.standing("left", single)) == {AMBIGUOUS}


def test_reasoning_takes_as_many_steps_as_it_says_and_needs_each() -> None:
    steps = set()
    for scene, question, program in everything():
        if question.family != "reasoning":
            continue
        answer = execute(program, scene)
        assert question.kind == f"reasoning_{question.hops}"
        assert all(execute(shorter, scene) != answer for shorter in without_a_step(program))
        way = [*passed_through(program, scene), answer]
        assert len(set(way)) == len(way)
        assert len(question.answer.steps) >= question.hops - 1
        steps.add(question.hops)
    assert steps == set(range(2, MOST_STEPS + 1))


def test_dropping_the_inner_step_of_a_chain_of_both_kinds() -> None:
    inner = Standing("left", Filter(name="mug"), Known(1))
    assert without_a_step(Relate("behind", inner)) == [Relate("behind", Known(1))]
    assert without_a_step(Standing("tall", ANY, inner)) == [Standing("tall", ANY, Known(1))]
    assert without_a_step(Standing("corner", ANY)) == []


@pytest.mark.parametrize("name", TRUE_OF)
def test_every_relation_has_a_kind(name: str) -> None:
    assert KINDS[f"relation_{name}"].family == "relation"


def test_most_relations_come_up() -> None:
    named = {r for seed in SEEDS for half in ("natural", "decorrelated")
             for q, _ in asked(seed, half)[1] for r in relations_of(q)}  # fmt: skip
    assert len(named) >= 20


def test_only_wanted_relations_are_asked_about() -> None:
    wanted = {"left", "right"}
    for seed in range(6):
        scene = made_scene(seed, "natural")
        questions = ask(scene, np.random.default_rng(seed), 16, relations=tuple(wanted))
        assert questions
        assert all(relations_of(question) <= wanted for question in questions)
        assert any(relations_of(question) for question in questions)


def test_an_unknown_relation_is_refused_before_any_work() -> None:
    with pytest.raises(RoboReferError, match="no relation 'leftish'"):
        Plan(scenes=1, relations=("leftish",))


def test_operations_are_mapped_to_registered_relations() -> None:
    assert set(BEHIND_OPERATIONS.values()) <= set(RELATIONS)
