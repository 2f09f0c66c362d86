"""Questions by the registered relations, and reasoning through up to five of them."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from robo_refer.data import masks
from robo_refer.errors import RoboReferError
from robo_refer.parsing import format_answer, parse
from robo_refer_data.plan import Plan
from robo_refer_data.programs.execute import execute, spots
from robo_refer_data.programs.kinds import KINDS, MOST_STEPS, TRUE_OF
from robo_refer_data.programs.necessity import without_a_step
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.steps import passed_through
from robo_refer_data.programs.types import (
    ANY,
    Between,
    Compare,
    Filter,
    Known,
    Ordinal,
    Relate,
    Standing,
    Superlative,
    anchors,
    with_anchors,
)
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
        if question.family != "relation" or not isinstance(program, Standing):
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


def without_any_step(program):
    """Yield what is left of a program without one of its operations, wherever it stands."""
    if isinstance(program, Compare):  # without the comparison both of the two are left
        return
    if isinstance(program, (Ordinal, Superlative, Standing)):
        yield program.of
    if isinstance(program, (Relate, Between)):
        yield program.head
    yield from anchors(program)
    for number, anchor in enumerate(anchors(program)):
        for shorter in without_any_step(anchor):
            found = list(anchors(program))
            found[number] = shorter
            yield with_anchors(program, found)


def test_without_any_of_its_steps_a_question_has_another_answer_or_none() -> None:
    families = ("object", "relation", "reasoning")
    checked = Counter()
    for seed in range(12):
        for half in ("natural", "decorrelated"):
            asker = Asker(made_scene(seed, half), np.random.default_rng(seed), families)
            for question, program in asker.ask(24):
                answer = execute(program, asker.scene)
                shorter = list(without_any_step(program))
                assert all(execute(one, asker.scene) != answer for one in shorter), question.text
                checked[question.hops] += len(shorter)
    assert all(checked[hops] > 20 for hops in range(1, MOST_STEPS + 1))


def test_without_one_of_its_conditions_a_placement_is_another_place() -> None:
    checked = 0
    for seed in range(60):
        asker = Asker(made_scene(seed), np.random.default_rng(seed), ("placement",))
        for question, program in asker.ask(8):
            space, wanted = asker.scene.free_space, spots(program, asker.scene)
            size = space.pixels(*wanted)
            assert size >= masks.area(question.mask) > 0
            for number in range(len(wanted) if len(wanted) > 1 else 0):
                looser = (*wanted[:number], *wanted[number + 1 :])
                assert space.pixels(*looser) >= 2 * size
                checked += 1
    assert checked > 20


def test_what_points_somewhere_is_a_step_of_the_way() -> None:
    turned = 0
    for seed in range(60):
        scene = made_scene(seed)
        facts = Scene(scene).facts
        for question in ask(scene, np.random.default_rng(seed), 8, ("placement", "reasoning")):
            for step, id_ in zip(question.answer.steps, question.step_ids, strict=True):
                if step.kind == "orientation":
                    index = facts.index_of[id_]
                    assert step.target.startswith(facts.colours[index]) or step.target.startswith(
                        facts.names[index]
                    )
                    front = facts.T_cam_world[:3, :3] @ facts.fronts_world[index]
                    assert step.value == pytest.approx(tuple(front))
                    turned += 1
            if "free_aligned" in question.tags["chain"] or "free_facing" in question.tags["chain"]:
                assert "orientation" in {step.kind for step in question.answer.steps}
                assert parse(format_answer(question.answer)).points
    assert turned > 20


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
