"""What the picture gives away: a rule that answers a rigged dataset is found, chance is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from robo_refer.types import Answer
from robo_refer_data.blind_stats import blind_stats, blind_table
from robo_refer_data.relations.mentioned import relations_of
from tests.dataset_gen.made_dataset import PLAN, made_samples, write_samples

POINTED = ("object", "relation", "reasoning")
SAMPLES = made_samples(replace(PLAN, scenes=24, families=POINTED))


def test_a_rule_that_answers_everything_is_named(tmp_path: Path) -> None:
    rigged = []
    for sample in SAMPLES:
        lowest = max(sample.objects, key=lambda item: item.point_norm[1])
        questions = tuple(
            replace(
                question,
                answer=Answer((lowest.point_norm,)),
                target_ids=(lowest.id,),
                step_ids=(),
                mask=lowest.mask,
            )
            for question in sample.questions
        )
        rigged.append(replace(sample, questions=questions))
    found = blind_stats(write_samples(tmp_path, rigged))
    for blind in found["families"].values():
        assert (blind.rule, blind.share) == ("lowest", 1.0)
        assert blind.gives_away
    assert any("(!)" in line for line in blind_table(found))


def test_the_generators_own_families_are_not_given_away(tmp_path: Path) -> None:
    found = blind_stats(write_samples(tmp_path, SAMPLES))
    asked = [question for sample in SAMPLES for question in sample.questions]
    assert set(found["families"]) == set(POINTED)
    for name, blind in found["families"].items():
        assert blind.n == sum(question.family == name for question in asked)
        assert blind.share < 0.4
    for name, blind in found["relations"].items():
        assert blind.n == sum(name in relations_of(question) for question in asked)
    assert {"left", "right", "close", "touch"} <= set(found["relations"])
