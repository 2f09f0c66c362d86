"""Variety of texts, and answers that their words give away."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from robo_refer_data.language_prior import PRESENT_OR_ABSENT, language_prior, prior, word_classifier
from robo_refer_data.language_stats import variety
from robo_refer_data.tables import Tables
from tests.dataset_gen.made_dataset import PLAN, made_samples, write_samples

SAMPLES = made_samples(replace(PLAN, scenes=32, questions=24))


def of_family(name: str):
    return [
        question for sample in SAMPLES for question in sample.questions if question.family == name
    ]


def test_variety_counts_texts_forms_and_words() -> None:
    found = variety(["is the mug red?", "is the mug red?", "is the can blue?", "how many?"])
    assert (found.n, found.texts, found.forms, found.words) == (4, 3, 2, 8)
    assert found.commonest == 0.75
    assert found.words_per_text == 3.5
    assert found.type_token == pytest.approx(8 / 14, abs=1e-3)


def test_repeated_texts_have_less_variety_than_different_ones() -> None:
    texts = [question.text for question in of_family("object")]
    varied, smelly = variety(texts), variety(texts[:4] * (len(texts) // 4))
    assert smelly.type_token < varied.type_token
    assert smelly.pairs < varied.pairs
    assert smelly.commonest > varied.commonest


def test_a_classifier_of_words_learns_and_is_not_led_by_rare_labels() -> None:
    texts = [f"is it {word}" for word in ("big", "small") * 20] + ["is it big"]
    guess = word_classifier(texts, ["yes", "no"] * 20 + ["rare"])
    assert [guess("is it big"), guess("is it small")] == ["yes", "no"]


@pytest.mark.parametrize("family", ["yes_no", "counting", "numeric", "object"])
def test_answers_that_follow_from_the_words_are_found(family: str) -> None:
    questions = of_family(family)
    rigged = [questions[n % 2] for n in range(60)]
    rigged = [replace(q, text=f"{q.text} {'ab'[n % 2]}") for n, q in enumerate(rigged)]
    found = prior(rigged[:30], rigged[30:])
    assert found.share == 1.0
    assert found.gives_away


def test_the_generators_own_words_do_not_give_their_answers_away(tmp_path: Path) -> None:
    path = write_samples(tmp_path, SAMPLES)
    found = language_prior(path)
    assert {"yes_no", "choice", "counting", "object", PRESENT_OR_ABSENT} <= set(found)
    assert not [name for name, row in found.items() if row.gives_away]
    lines = "\n".join(Tables.of(path).lines())
    for heading in ("without reading", "without seeing", "## Words"):
        assert heading in lines


def test_absence_that_a_word_tells_is_found(tmp_path: Path) -> None:
    told = [
        replace(
            sample,
            questions=tuple(
                replace(q, text=f"{q.text} nowhere") if q.family == "absent" else q
                for q in sample.questions
            ),
        )
        for sample in SAMPLES
    ]
    many = [replace(sample, id=f"{sample.id}-{n}") for n in range(10) for sample in told]
    found = language_prior(write_samples(tmp_path, many))[PRESENT_OR_ABSENT]
    assert found.share > 0.75
    assert found.gives_away
