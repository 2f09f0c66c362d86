"""Validation: a clean dataset has no problem, and every kind of damage is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from robo_refer.data import Question, Sample, masks, shard_path
from robo_refer.data.records import to_row
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, Step
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan
from robo_refer_data.sample_checks import Problem
from robo_refer_data.validate import Report, validate
from tests.dataset_gen.made_dataset import (
    PLAN,
    find,
    made_sample,
    made_samples,
    with_question,
    write_rows,
    write_samples,
)

SAMPLES = made_samples()


def is_related(question: Question) -> bool:
    return question.family == "object" and bool(question.step_ids)


def report_of(tmp_path: Path, sample: Sample, **options: Any) -> Report:
    """Validate the made dataset with one of its samples replaced."""
    samples = [sample if sample.id == other.id else other for other in SAMPLES]
    return validate(write_samples(tmp_path / "set", samples), **options)


def only_problem(report: Report) -> Problem:
    assert len(report.problems) == 1, report.lines()
    return report.problems[0]


def error_of(call: Callable[[], object]) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        call()
    return caught.value


def test_a_clean_dataset_has_no_problem(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", SAMPLES)
    report = validate(folder, regenerate=True, make=made_sample)
    questions = sum(len(sample.questions) for sample in SAMPLES)
    assert report.as_dict() == {
        "samples": 4,
        "questions": questions,
        "regenerated": 4,
        "problems": [],
    }
    assert report.lines() == [
        f"4 scenes, {questions} questions, 4 scenes made again: no problem"
    ]  # fmt: skip
    assert validate(shard_path(folder, 0)).problems == ()


def test_workers_find_the_same(tmp_path: Path) -> None:
    number, question = find(SAMPLES[1], is_related)
    broken = with_question(SAMPLES[1], number, answer=Answer(((1.5, 0.5),)))
    folder = write_samples(tmp_path / "set", [SAMPLES[0], broken, *SAMPLES[2:]])
    assert validate(folder, workers=2) == validate(folder)
    assert validate(folder).problems[0].question == question.text


def test_an_answer_outside_the_grammar_is_found(tmp_path: Path) -> None:
    number, question = find(SAMPLES[0], is_related)
    step = replace(question.answer.steps[0], target="a [red] mug")
    answer = replace(question.answer, steps=(step, *question.answer.steps[1:]))
    problem = only_problem(report_of(tmp_path, with_question(SAMPLES[0], number, answer=answer)))
    assert (problem.sample, problem.question) == (SAMPLES[0].id, question.text)
    assert "grammar" in problem.sentence
    assert "a [red] mug" in problem.sentence


@pytest.mark.parametrize("value", [1.5, -0.01, float("nan")])
def test_a_point_beside_the_image_is_found(tmp_path: Path, value: float) -> None:
    number, question = find(SAMPLES[0], lambda q: q.family == "object")
    answer = replace(question.answer, points=((value, 0.5),))
    problem = only_problem(report_of(tmp_path, with_question(SAMPLES[0], number, answer=answer)))
    assert problem.question == question.text
    assert "outside [0, 1]" in problem.sentence


@pytest.mark.parametrize("family", ["object", "free_space"])
def test_a_point_beside_its_mask_is_found(tmp_path: Path, family: str) -> None:
    sample = next(s for s in SAMPLES if any(q.family == family for q in s.questions))
    number, question = find(sample, lambda q: q.family == family)
    assert question.mask is not None
    rows, columns = np.nonzero(~masks.decode(question.mask))
    width, height = sample.camera.width, sample.camera.height
    off = (float(columns[0] + 0.5) / width, float(rows[0] + 0.5) / height)
    answer = replace(question.answer, points=(off,))
    problem = only_problem(report_of(tmp_path, with_question(sample, number, answer=answer)))
    assert problem.question == question.text
    assert problem.sentence == f"Its point ({off[0]:.3f}, {off[1]:.3f}) lies beside its mask."


def test_the_mask_of_another_object_is_found(tmp_path: Path) -> None:
    number, question = find(SAMPLES[0], lambda q: q.family == "object")
    other = next(item for item in SAMPLES[0].objects if item.id not in question.target_ids)
    answer = replace(question.answer, points=(other.point_norm,))
    broken = with_question(SAMPLES[0], number, answer=answer, mask=other.mask)
    problem = only_problem(report_of(tmp_path, broken))
    assert problem.question == question.text
    assert f"object {question.target_ids[0]}" in problem.sentence


def test_a_free_region_on_an_object_is_found(tmp_path: Path) -> None:
    sample = next(s for s in SAMPLES if any(q.family == "free_space" for q in s.questions))
    number, question = find(sample, lambda q: q.family == "free_space")
    item = sample.objects[0]
    answer = replace(question.answer, points=(item.point_norm,))
    broken = with_question(sample, number, answer=answer, mask=item.mask)
    assert f"covers the objects [{item.id}]" in only_problem(report_of(tmp_path, broken)).sentence


def test_a_mask_of_another_size_is_found(tmp_path: Path) -> None:
    sample = next(s for s in SAMPLES if any(q.family == "free_space" for q in s.questions))
    number, question = find(sample, lambda q: q.family == "free_space")
    assert question.mask is not None
    larger = masks.encode(np.ones([2 * side for side in question.mask["size"]], bool))
    problem = only_problem(report_of(tmp_path, with_question(sample, number, mask=larger)))
    assert problem.sentence == "Its mask is [240, 320], the image [120, 160]."


def test_a_step_id_that_is_not_there_is_found(tmp_path: Path) -> None:
    number, question = find(SAMPLES[0], is_related)
    broken = with_question(SAMPLES[0], number, step_ids=(99, *question.step_ids[1:]))
    problem = only_problem(report_of(tmp_path, broken))
    target = question.answer.steps[0].target
    assert problem.question == question.text
    assert problem.sentence == f"Step 1 ({target}) is about object 99, which the scene has not."


def test_the_step_id_of_another_object_is_found(tmp_path: Path) -> None:
    number, question = find(SAMPLES[0], is_related)
    other = next(item.id for item in SAMPLES[0].objects if item.id != question.step_ids[0])
    broken = with_question(SAMPLES[0], number, step_ids=(other, *question.step_ids[1:]))
    problem = only_problem(report_of(tmp_path, broken))
    assert problem.question == question.text
    assert problem.sentence.endswith(f"lies beside the mask of object {other}.")


def test_steps_without_their_ids_are_found(tmp_path: Path) -> None:
    number, _ = find(SAMPLES[0], is_related)
    problem = only_problem(report_of(tmp_path, with_question(SAMPLES[0], number, step_ids=())))
    assert "0 step ids" in problem.sentence


def test_an_absent_thing_with_a_point_is_found(tmp_path: Path) -> None:
    sample = next(s for s in SAMPLES if any(q.family == "absent" for q in s.questions))
    number, question = find(sample, lambda q: q.family == "absent")
    answer = replace(question.answer, points=((0.5, 0.5),))
    problem = only_problem(report_of(tmp_path, with_question(sample, number, answer=answer)))
    assert problem.question == question.text
    assert "absent" in problem.sentence


def test_a_lost_reply_is_found(tmp_path: Path) -> None:
    sample = next(s for s in SAMPLES if any(q.reply for q in s.questions))
    number, question = find(sample, lambda q: q.reply)
    problem = only_problem(report_of(tmp_path, with_question(sample, number, reply="")))
    assert problem.question == question.text
    assert "reply" in problem.sentence


def test_a_thin_thing_that_three_decimals_miss_is_found(tmp_path: Path) -> None:
    """At 2000 pixels a column is half as wide as the last decimal."""
    plan = replace(PLAN, scenes=1, width=2000, height=16)
    column = np.zeros((16, 2000), bool)
    column[:, 1001] = True
    sample = SAMPLES[0]
    item = replace(sample.objects[0], mask=masks.encode(column), point_norm=(1001.1 / 2000, 0.5))
    camera = replace(sample.camera, width=2000, height=16)
    answer = Answer((item.point_norm,), (Step("size", "box", (0.1,)),))
    question = Question("k", "object", 0, "the box", answer, (item.id,), item.mask, (item.id,))
    row = to_row(
        replace(
            sample,
            rgb=np.zeros((16, 2000, 3), np.uint8),
            depth_m=None,
            camera=camera,
            objects=(item,),
            questions=(question,),
        )
    )
    problem = only_problem(validate(write_rows(tmp_path / "set", [row], plan)))
    assert problem.sentence.endswith("once it is written with three decimals.")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"kind": "left_of_all"}, "kind"),
        ({"hops": 3}, "hops"),
        ({"tags": {}}, "tags"),
    ],
)
def test_an_altered_question_is_found_by_asking_again(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    number, question = find(SAMPLES[2], lambda q: q.hops < 3)
    broken = with_question(SAMPLES[2], number, **change)
    problem = only_problem(report_of(tmp_path, broken, regenerate=True, make=made_sample))
    assert (problem.sample, problem.question) == (SAMPLES[2].id, question.text)
    assert problem.sentence == f"Made again from its seed, it has another {named}."


def test_an_altered_text_is_found_by_asking_again(tmp_path: Path) -> None:
    broken = with_question(SAMPLES[3], 1, text="the thing left of nowhere")
    assert report_of(tmp_path, broken).problems == ()
    folder = tmp_path / "set"
    report = validate(folder, regenerate=True, make=made_sample)
    assert [problem.question for problem in report.problems] == [
        "the thing left of nowhere",
        SAMPLES[3].questions[1].text,
    ]
    assert all(problem.sample == SAMPLES[3].id for problem in report.problems)


def test_another_order_picture_or_depth_is_found_by_making_it_again(tmp_path: Path) -> None:
    sample = SAMPLES[0]
    turned = replace(sample, questions=sample.questions[::-1])
    again = {"regenerate": True, "make": made_sample}
    assert "order" in only_problem(report_of(tmp_path / "a", turned, **again)).sentence
    twice = replace(sample, questions=(*sample.questions, sample.questions[0]))
    assert "twice" in only_problem(report_of(tmp_path / "b", twice, **again)).sentence
    assert sample.depth_m is not None
    other = replace(sample, rgb=sample.rgb + np.uint8(1), depth_m=sample.depth_m + 0.01)
    sentence = only_problem(report_of(tmp_path / "c", other, **again)).sentence
    assert sentence == "Made again from its seed, it has another rgb, depth."
    lost = replace(sample, meta={**sample.meta, "index": 400})
    assert "index 400" in only_problem(report_of(tmp_path / "d", lost, **again)).sentence


def test_a_damaged_sample_does_not_hide_the_others(tmp_path: Path) -> None:
    rows = [to_row(sample) for sample in SAMPLES]
    rows[1]["rgb"]["bytes"] = b"no image"
    number, question = find(SAMPLES[2], is_related)
    rows[2] = to_row(with_question(SAMPLES[2], number, step_ids=(99, *question.step_ids[1:])))
    report = validate(write_rows(tmp_path / "set", rows))
    assert report.samples == 3
    assert [problem.sample for problem in report.problems] == [SAMPLES[1].id, SAMPLES[2].id]
    assert "PNG" in report.problems[0].sentence
    assert json.loads(json.dumps(report.as_dict()))["problems"][1]["question"] == question.text


def test_masks_and_points_of_objects_are_looked_at(tmp_path: Path) -> None:
    first, *others = SAMPLES[0].objects
    beside = replace(first, point_norm=others[0].point_norm)
    moved = replace(SAMPLES[0], objects=(beside, *others))
    problem = only_problem(report_of(tmp_path, moved))
    assert problem.sentence == f"Object {first.id} ({first.name}): its point lies beside its mask."


def test_lost_and_double_samples_are_found(tmp_path: Path) -> None:
    folder = write_samples(tmp_path / "set", [SAMPLES[0], SAMPLES[0], SAMPLES[1]])
    sentences = [problem.sentence for problem in validate(folder).problems]
    assert sentences == [
        "2 samples have this id.",
        "Its manifest promises 4 scenes, its files hold 3.",
    ]


def test_what_cannot_be_validated_is_an_error(tmp_path: Path) -> None:
    assert error_of(lambda: validate(tmp_path / "none")).code is ErrorCode.BAD_FILE
    (tmp_path / "text.parquet").write_text("no Parquet")
    assert error_of(lambda: validate(tmp_path / "text.parquet")).code is ErrorCode.BAD_FILE
    folder = write_samples(tmp_path / "set", SAMPLES[:1])
    assert error_of(lambda: validate(folder, workers=0)).code is ErrorCode.BAD_REQUEST
    manifest = folder / "manifest.json"
    good = manifest.read_text()
    for wrong in ("{", "[]", '{"scenes": "many"}', good.replace('"both"', '"neither"')):
        manifest.write_text(wrong)
        assert error_of(lambda: validate(folder)).code is ErrorCode.BAD_FILE
    manifest.write_text(json.dumps({**json.loads(good), "generator": 0}))
    error = error_of(lambda: validate(folder, regenerate=True))
    assert error.code is ErrorCode.BAD_REQUEST
    assert "generator 0" in error.message
    manifest.unlink()
    assert validate(folder).problems == ()
    error = error_of(lambda: validate(folder, regenerate=True))
    assert error.code is ErrorCode.BAD_REQUEST
    assert "manifest.json" in error.message


def test_a_rendered_scene_comes_out_as_it_is_stored(tmp_path: Path) -> None:
    plan = Plan(scenes=1, seed=3, width=64, height=48, questions=4)
    folder = write_rows(tmp_path / "set", [to_row(make_sample(plan, 0))], plan)
    assert validate(folder, regenerate=True).problems == ()
