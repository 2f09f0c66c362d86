"""Families answered in words: true, balanced, never asked twice, and told apart from pointing."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_refer.data.sample import FAMILIES, POINTING, SPOKEN
from robo_refer_data import families
from robo_refer_data.families import numeric
from robo_refer_data.language.vocabulary import plural
from robo_refer_data.questions import Asker, ask
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, RELATIONS, YES
from tests.dataset_gen.made_scenes import made_scene

seeds = st.integers(0, 300)
halves = st.sampled_from(["natural", "decorrelated"])
quick = settings(max_examples=25, deadline=None)


@cache
def asked(seed, half, families=SPOKEN, count=24):
    observation = made_scene(seed, half)
    return observation, ask(observation, np.random.default_rng(seed), count, families)


@quick
@given(seeds, halves)
def test_spoken_questions_have_a_reply_and_nothing_to_point_to(seed, half):
    observation, questions = asked(seed, half, FAMILIES)
    ids = {item.id: item for item in observation.objects}
    for question in questions:
        assert bool(question.reply) == (question.family in SPOKEN)
        if question.reply:
            assert question.mask is None
            assert question.answer.points == ()
            for step, id_ in zip(question.answer.steps, question.step_ids, strict=True):
                assert step.value == ids[id_].point_norm


@quick
@given(seeds, halves)
def test_yes_no_is_what_the_relation_says(seed, half):
    observation, questions = asked(seed, half, ("yes_no",))
    facts = Facts(observation)
    for question in questions:
        subject, reference = (facts.index_of[id_] for id_ in question.target_ids)
        name = question.kind.removeprefix("yes_no_")
        truth = RELATIONS[name].decide(facts)[subject, reference]
        assert truth == {"yes": YES, "true": YES, "no": NO, "false": NO}[question.reply]


@quick
@given(seeds, halves)
def test_a_choice_has_one_right_option(seed, half):
    observation, questions = asked(seed, half, ("choice",))
    facts = Facts(observation)
    for question in questions:
        reference, subject = (facts.index_of[id_] for id_ in question.target_ids)
        truth = RELATIONS[question.kind.removeprefix("choice_")].decide(facts)
        assert truth[subject, reference] == YES
        options = question.text.count("(")
        assert 3 <= options <= 4
        assert question.tags["chance"] == pytest.approx(1 / options, abs=1e-3)
        assert question.reply in question.text
        assert (truth[:, reference] == NO).sum() >= options - 1


@quick
@given(seeds, halves)
def test_numbers_are_the_measured_ones(seed, half):
    observation, questions = asked(seed, half, ("numeric",))
    facts = Facts(observation)
    for question in questions:
        name = question.kind.removeprefix("numeric_")
        place = tuple(facts.index_of[id_] for id_ in question.target_ids)
        value = float(numeric.MEASURES[name].values(facts)[place])
        number, unit = question.reply.split()
        assert unit == question.tags["unit"] == numeric.MEASURES[name].unit
        assert float(number) == pytest.approx(value, abs=0.5 if unit == "degrees" else 0.005)
        if unit == "m" and value < 0.1:
            assert float(number) == pytest.approx(value, rel=0.026)


@given(st.floats(1e-4, 10))
def test_lengths_are_written_well_within_their_own_tolerance(length_m):
    number, unit = numeric.metres(length_m).split()
    assert unit == "m"
    assert abs(float(number) - length_m) <= 0.051 * length_m < numeric.TOLERANCE * length_m


def test_lengths_from_a_tenth_of_a_metre_are_in_centimetres():
    lengths_m = (0.0024, 0.0145, 0.0512, 0.0999, 0.1, 0.237)
    assert [numeric.metres(length_m) for length_m in lengths_m] == [
        "0.0024 m", "0.0145 m", "0.051 m", "0.100 m", "0.10 m", "0.24 m",
    ]  # fmt: skip


@quick
@given(seeds, halves)
def test_counts_are_counts(seed, half):
    observation, questions = asked(seed, half, ("counting",))
    facts = Facts(observation)
    for question in questions:
        name = question.kind.removeprefix("counting_")
        assert int(question.reply) == question.tags["value"]
        if question.step_ids and name in RELATIONS:
            reference = facts.index_of[question.step_ids[0]]
            truth = RELATIONS[name].decide(facts)[:, reference]
            assert (truth == YES).sum() == int(question.reply)
            assert ((truth == YES) | (truth == NO)).sum() == facts.n - 1


@quick
@given(seeds, halves)
def test_facts_are_true(seed, half):
    observation, questions = asked(seed, half, ("fact",))
    facts = Facts(observation)
    for question in questions:
        first, second = (facts.index_of[id_] for id_ in question.target_ids)
        for name in question.tags["true"]:
            assert RELATIONS[name].decide(facts)[first, second] == YES
            assert RELATIONS[name].says[0] in question.reply


def test_answers_cannot_be_told_from_the_words():
    replies: Counter[tuple[str, bool]] = Counter()
    letters: Counter[tuple[int, str]] = Counter()
    for seed in range(150):
        for question in asked(seed, "natural", ("yes_no", "choice"), 12)[1]:
            if question.family == "yes_no":
                replies[question.kind, question.reply in ("yes", "true")] += 1
            else:
                letters[question.text.count("("), question.reply] += 1
    for kind in {kind for kind, _ in replies}:
        yes, no = replies[kind, True], replies[kind, False]
        assert abs(yes - no) <= 3.5 * np.sqrt(yes + no), kind
    for options in (3, 4):
        counts = [letters[options, f"({letter})"] for letter in "abcd"[:options]]
        expected = sum(counts) / options
        assert expected > 25
        assert max(abs(count - expected) for count in counts) <= 4 * np.sqrt(expected)


def test_storage_and_generator_know_the_same_families():
    assert tuple(families.SPOKEN) == SPOKEN


def test_pointing_alone_is_asked_as_before():
    observation = made_scene(5)
    for question, program in Asker(observation, np.random.default_rng(5), POINTING).ask(30):
        assert question.family in POINTING
        assert program is not None


def test_the_same_state_asks_the_same():
    first = ask(made_scene(7), np.random.default_rng(1), 30)
    assert first == ask(made_scene(7), np.random.default_rng(1), 30)
    assert len({question.text for question in first}) == len(first)


@pytest.mark.parametrize(
    ("name", "many"),
    [("mug", "mugs"), ("box", "boxes"), ("brush", "brushes"), ("knife", "knives")],
)
def test_plurals(name, many):
    assert plural(name) == many
