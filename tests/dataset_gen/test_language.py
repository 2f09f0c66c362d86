"""Language: few words, many forms, and nothing said that another object could be meant by."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from robo_refer.data.sample import POINTING
from robo_refer_data.language import vocabulary
from robo_refer_data.language.plain import PLAIN
from robo_refer_data.language.speaker import Speaker
from robo_refer_data.language.varied import VARIED
from robo_refer_data.programs.catalogue import catalogue
from robo_refer_data.programs.types import (
    Compare,
    Filter,
    Free,
    Ordinal,
    Place,
    Relate,
    Standing,
    Superlative,
)
from robo_refer_data.questions import ask
from tests.dataset_gen.made_scenes import made_scene

MUG, CAN = Filter(name="mug"), Filter(name="can", colour="red")


@cache
def texts(wording="varied"):
    return [
        question.text
        for seed in range(30)
        for half in ("natural", "decorrelated")
        for question in ask(
            made_scene(seed, half), np.random.default_rng(seed), 16, POINTING, wording=wording
        )
    ]


def forms(program, names=("mug", "can", "box"), count=400, grammar=VARIED):
    rng = np.random.default_rng(0)
    return {Speaker(rng, names, grammar).instruction(program) for _ in range(count)}


def test_plain_wording_has_few_words():
    words = {word for text in texts("plain") for word in re.findall(r"[a-z]+", text)}
    assert len(words) <= 250


def test_texts_are_clean():
    for text in (*texts(), *texts("plain")):
        assert text == text.lower().strip()
        assert not re.search(r"  |[{}<>]|[.?,:][.?,:]| [.?,:]", text), text
        assert re.fullmatch(r"[a-z0-9 ,.:?']+", text), text


def test_what_is_plain_is_a_part_of_what_is_varied():
    for symbol, options in PLAIN.items():
        assert set(options) <= set(VARIED[symbol])


@pytest.mark.parametrize(
    "program",
    [
        MUG,
        CAN,
        Relate("left_of", CAN),
        Relate("behind", MUG, Filter(name="box")),
        Ordinal("left", 1),
        Ordinal("front", 2, MUG),
        Superlative("nearest_camera"),
        Superlative("smallest", MUG),
        Free((Place("left", (MUG,)),)),
    ],
)
def test_there_are_many_ways_to_ask(program):
    found = forms(program)
    assert len(found) >= 10
    if isinstance(program, Relate):
        assert all("mug" in text or "can" in text or "tin" in text for text in found)


def test_edges_and_corners_are_those_of_the_support():
    rng = np.random.default_rng(0)
    speaker = Speaker(rng, ("tablet", "can"), support="desk")
    said = {speaker.phrase(Standing(name, Filter(name="tablet"))) for name in ("edge", "corner")}
    assert all("tablet" in text and text.endswith("of the desk") for text in said)


def test_comparisons_name_both():
    for text in forms(Compare("tallest", MUG, CAN), grammar=PLAIN):
        assert "mug" in text
        assert "taller" in text


def test_an_ordinal_without_a_noun_counts_everything():
    assert any(text.endswith("second from the left") for text in forms(Ordinal("left", 2)))
    for text in forms(Ordinal("left", 2, MUG), grammar=PLAIN):
        assert "second mug" in text


def test_a_comparative_is_only_said_of_two():
    assert any("smaller mug" in t for t in forms(Superlative("smallest", MUG), ("mug", "mug")))
    three = forms(Superlative("smallest", MUG), ("mug", "mug", "mug"))
    assert not any("smaller" in text for text in three)


def test_a_synonym_is_not_said_where_it_could_mean_another():
    assert any("tin" in text for text in forms(Filter(name="can"), ("can", "book")))
    assert not any("tin" in text for text in forms(Filter(name="can"), ("can", "bottle")))


def test_every_name_of_the_generator_can_be_said():
    names = {entry.name for entry in catalogue()}
    assert len(names) >= 25
    assert set(vocabulary.SYNONYMS) <= names
    for group in vocabulary.LOOKALIKES:
        assert group <= names
    for partly in vocabulary.PARTLY.values():
        assert partly <= names
    synonyms = {synonym for options in vocabulary.SYNONYMS.values() for synonym in options}
    assert not synonyms & names


def test_lookalikes_and_near_colours():
    assert vocabulary.alike("mug", "mug")
    assert vocabulary.alike("mug", "cup")
    assert vocabulary.alike("car", "toy car")
    assert not vocabulary.alike("mug", "drill")
    assert vocabulary.near_colours("red", "orange")
    assert vocabulary.near_colours("red", "")
    assert not vocabulary.near_colours("red", "green")
