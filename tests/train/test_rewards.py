"""Every reward: its range, its maximum, what it never does, and that cheats do not pay."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward_cases import ABSENT, BOXES, CASES, POINTING, RIGHT, answered, box_list, disc

from robo_refer.data import read_samples
from robo_refer.data.masks import encode
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer
from robo_refer.types import Answer, Step
from robo_refer_train.rewards import (
    REWARDS,
    Truth,
    read_written,
    truth_from_json,
    truth_of,
    truth_to_json,
)
from robo_refer_train.rewards.boxes import iou

BY_NAME = pytest.mark.parametrize("name", sorted(REWARDS))
POINT_REWARDS = pytest.mark.parametrize("name", ["point", "point_mask"])
STEP_REWARDS = pytest.mark.parametrize("name", ["process_accuracy", "process_accuracy_graded"])
unit = st.floats(0, 1).map(lambda value: round(value, 3))
sizes_px = st.tuples(st.integers(64, 4000), st.integers(64, 4000))


def value(name: str, text: str, truth: Truth) -> float:
    """Return a reward's value, which has to be there and in its range."""
    score = REWARDS[name](read_written(text), truth)
    assert score.value is not None
    assert 0.0 <= score.value <= 1.0
    assert score.why
    return score.value


@st.composite
def directions(draw: st.DrawFn) -> tuple[float, ...]:
    vector = np.array(draw(st.tuples(*[st.floats(-1, 1)] * 3)))
    length = float(np.linalg.norm(vector))
    return (0.0, 0.0, 1.0) if length < 0.1 else tuple((vector / length).tolist())


@st.composite
def steps(draw: st.DrawFn) -> Step:
    target = draw(st.sampled_from(["red box", "mug", "the mug", "bowl", "cup handle"]))
    kind = draw(st.sampled_from(["position", "orientation", "size"]))
    if kind == "position":
        return Step("position", target, draw(st.tuples(unit, unit)))
    if kind == "orientation":
        return Step("orientation", target, draw(directions()))
    return Step("size", target, (draw(st.floats(0.05, 3.0)),))


step_lists = st.lists(steps(), min_size=1, max_size=5).map(tuple)

_PIECES = st.sampled_from(
    [
        *("<think>", "</think>", "<answer>", "</answer>", "[", "]", "(0.400, 0.600)", ", ", "\n"),
        *("[Position] [red box]: [(0.200, 0.300)]", "[Size] [red box]: 0.250", "3", "0.50 m"),
        *("red mug", "Click(box=(0.31, 0.42))", "f(a, b)", "-", "1e999"),
        '{"Position": [0.1, 0.1, 0.3, 0.4]}',
    ]
)
texts = st.one_of(
    st.text(max_size=60),
    st.lists(_PIECES, max_size=12).map("".join),
    st.lists(_PIECES, max_size=4).map(lambda pieces: answered("".join(pieces))),
)


def test_every_reward_has_a_case_and_its_own_name() -> None:
    assert set(CASES) == set(REWARDS)
    assert all(reward.name == name for name, reward in REWARDS.items())


@BY_NAME
def test_the_right_answer_earns_one_and_a_wrong_one_less(name: str) -> None:
    case = CASES[name]
    REWARDS[name].check(case.truth)
    assert value(name, case.right, case.truth) == pytest.approx(1.0)
    if name != "outcome_format":  # a wrong answer has the form, too
        assert value(name, case.wrong, case.truth) < 0.5


@BY_NAME
def test_no_cheat_earns_more_than_an_honest_wrong_answer(name: str) -> None:
    case = CASES[name]
    honest = value(name, case.wrong, case.truth)
    for cheat in case.cheats:
        earned = value(name, cheat, case.truth)
        assert earned <= honest, cheat[:100]
        if name == "outcome_format":  # here a wrong answer earns all, and a cheat must not
            assert earned == 0, cheat[:100]


@BY_NAME
@settings(max_examples=60, deadline=None)
@given(text=texts)
def test_whatever_is_written_the_value_is_in_range(name: str, text: str) -> None:
    value(name, text, CASES[name].truth)


@BY_NAME
def test_an_item_without_anything_cannot_be_scored(name: str) -> None:
    if name in ("outcome_format", "process_format"):
        REWARDS[name].check(Truth())  # they read the form alone
        return
    if name.startswith("process_accuracy"):
        assert not REWARDS[name].applies(Truth())  # many a question needs no steps
        return
    assert REWARDS[name].applies(Truth())
    with pytest.raises(RoboReferError) as caught:
        REWARDS[name].check(Truth())
    assert caught.value.code is ErrorCode.BAD_SAMPLE
    assert name in caught.value.message


@settings(max_examples=60, deadline=None)
@given(size_px=sizes_px, points=st.lists(st.tuples(unit, unit), max_size=3), steps=step_lists)
def test_the_truths_own_answer_earns_everything_of_the_papers_rewards(
    size_px: tuple[int, int], points: list[tuple[float, float]], steps: tuple[Step, ...]
) -> None:
    truth = Truth("x", size_px, tuple(points), None, steps)
    text = format_answer(Answer(tuple(points), steps))
    for name in ("outcome_format", "point", "process_format", "process_accuracy"):
        REWARDS[name].check(truth)
        assert value(name, text, truth) == pytest.approx(1.0), name
    assert value("process_accuracy_graded", text, truth) > 0.99


def test_items_without_steps_are_answered_bare() -> None:
    truth = replace(POINTING, steps=())
    for name in ("outcome_format", "process_format", "point", "point_mask"):
        assert value(name, "[(0.400, 0.600)]", truth) == 1.0
        assert value(name, "<answer>[(0.400, 0.600)]</answer>", truth) == 1.0


@POINT_REWARDS
def test_absence_is_said_by_the_empty_list_alone(name: str) -> None:
    REWARDS[name].check(ABSENT)
    assert value(name, answered("[]"), ABSENT) == 1.0
    assert value(name, answered("[(0.500, 0.500)]"), ABSENT) == 0.0
    assert value(name, answered("nothing"), ABSENT) == 0.0
    assert value(name, answered("[]"), POINTING) == 0.0


@pytest.mark.parametrize(("width", "right"), [(960, 1.0), (1010, 0.0), (480, 1.0)])
def test_fifty_pixels_are_those_of_the_stated_frame(width: int, right: float) -> None:
    truth = replace(POINTING, size_px=(width, 540))
    assert value("point", answered("[(0.450, 0.600)]"), truth) == right


def test_the_distance_is_l1() -> None:
    # 30 px right and 30 px down: 42 px apart as the crow flies, 60 px by L1.
    text = answered(f"[({0.4 + 30 / 960:.4f}, {0.6 + 30 / 540:.4f})]")
    assert value("point", text, POINTING) == 0.0


@POINT_REWARDS
@settings(max_examples=40, deadline=None)
@given(points=st.lists(st.tuples(unit, unit), min_size=1, max_size=4), more=st.tuples(unit, unit))
def test_another_point_never_helps_where_one_is_asked_for(
    name: str, points: list[tuple[float, float]], more: tuple[float, float]
) -> None:
    before = value(name, format_answer(Answer(tuple(points))), POINTING)
    assert value(name, format_answer(Answer((*points, more))), POINTING) <= before


def test_points_for_several_objects_are_each_their_own() -> None:
    truth = Truth("both mugs", (100, 100), ((0.1, 0.1), (0.9, 0.9)))
    both = format_answer(Answer(((0.9, 0.9), (0.1, 0.1))))
    twice = format_answer(Answer(((0.1, 0.1), (0.12, 0.1))))
    assert value("point", both, truth) == 1.0
    assert value("point", twice, truth) == 0.5
    assert value("point", "[(0.100, 0.100)]", truth) == 0.5


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(0, 2 * np.pi), radius=st.floats(3, 20))
def test_off_the_mask_nearer_is_never_worse(angle: float, radius: float) -> None:
    truth = replace(
        POINTING, points=((0.5, 0.5),), mask=encode(disc((0.5, 0.5), radius, (200, 150)))
    )
    way = np.array([np.cos(angle), np.sin(angle)]) * 0.5
    earned = [
        value("point_mask", format_answer(Answer((tuple((0.5 + way * far).tolist()),))), truth)
        for far in np.linspace(0, 0.99, 25)
    ]
    # A pixel's edge may lie 1 px nearer to a disc made of pixels than the one before it.
    assert all(later <= earlier + 0.01 for earlier, later in pairwise(earned))
    assert earned[0] == 1.0
    assert earned[-1] < 0.3
    assert not any(0.5 < score < 1 for score in earned)


def test_the_mask_may_have_another_size_than_the_frame() -> None:
    for size_px in ((64, 48), (640, 480)):
        mask = encode(disc((0.4, 0.6), size_px[0] / 20, size_px))
        assert value("point_mask", RIGHT, replace(POINTING, mask=mask)) == 1.0


@STEP_REWARDS
@settings(max_examples=60, deadline=None)
@given(true=step_lists, written=step_lists, data=st.data())
def test_the_order_of_steps_does_not_matter(
    name: str, true: tuple[Step, ...], written: tuple[Step, ...], data: st.DataObject
) -> None:
    truth = replace(POINTING, steps=true)
    shuffled = tuple(data.draw(st.permutations(written)))
    other = replace(truth, steps=tuple(data.draw(st.permutations(true))))
    first = value(name, format_answer(Answer(((0.4, 0.6),), written)), truth)
    assert value(name, format_answer(Answer(((0.4, 0.6),), shuffled)), truth) == pytest.approx(
        first
    )
    assert value(name, format_answer(Answer(((0.4, 0.6),), written)), other) == pytest.approx(first)


@STEP_REWARDS
@settings(max_examples=60, deadline=None)
@given(true=step_lists, written=step_lists, times=st.integers(1, 4), data=st.data())
def test_saying_it_again_never_helps(
    name: str, true: tuple[Step, ...], written: tuple[Step, ...], times: int, data: st.DataObject
) -> None:
    """Once every key step of a phrase is spoken of, copies and strangers only dilute it."""
    truth = replace(POINTING, steps=true)
    whole = (*written, *true)
    copies = tuple(data.draw(st.lists(st.sampled_from(whole), min_size=times, max_size=times)))
    strangers = (Step("position", "a lamp", (0.2, 0.3)),) * times
    before = value(name, format_answer(Answer((), whole)), truth)
    for more in (copies, strangers, copies + strangers):
        assert value(name, format_answer(Answer((), whole + more)), truth) <= before + 1e-9


@STEP_REWARDS
def test_a_guess_more_is_never_worth_it_over_chance(name: str) -> None:
    """Two guesses of which one is right earn half: no more than choosing one of them."""
    truth = replace(POINTING, steps=(Step("position", "mug", (0.2, 0.2)),))
    right, wrong = Step("position", "mug", (0.2, 0.2)), Step("position", "mug", (0.8, 0.8))
    assert value(name, format_answer(Answer((), (right, wrong))), truth) == 0.5
    assert value(name, format_answer(Answer((), (wrong, right, wrong))), truth) == pytest.approx(
        1 / 3
    )
    assert value(name, format_answer(Answer((), (right, *[wrong] * 3))), truth) == 0.0


@pytest.mark.parametrize(
    ("phrase", "right"),
    [
        ("red box", 1.0),
        ("A red  BOX", 1.0),
        ("box", 1.0),
        ("big shiny red box", 1.0),
        ("red boxes", 0.0),
        ("blue box", 0.0),
        ("box lid", 0.0),
        ("red mug", 0.0),
        ("mug left of the red box", 0.0),
        ("the", 0.0),
    ],
)
def test_phrases_match_by_their_noun(phrase: str, right: float) -> None:
    truth = replace(POINTING, steps=(Step("position", "the Red box", (0.2, 0.2)),))
    text = f"<think>\n[Position] [{phrase}]: [(0.200, 0.200)]\n</think>\n<answer>[]</answer>"
    assert value("process_accuracy", text, truth) == right


def test_a_phrase_that_might_be_either_is_neither() -> None:
    red, blue = Step("position", "red mug", (0.2, 0.2)), Step("position", "blue mug", (0.8, 0.8))
    truth = replace(POINTING, steps=(red, blue))
    vague = Step("position", "mug", (0.2, 0.2))
    for said, earned in (((red, blue), 1.0), ((red,), 0.5), ((vague,), 0.0), ((red, vague), 0.5)):
        assert value("process_accuracy", format_answer(Answer((), said)), truth) == earned


def test_variants_of_a_phrase_are_guesses_about_one_thing() -> None:
    truth = replace(POINTING, steps=(Step("position", "red box", (0.2, 0.2)),))
    words = ("red box", "box", "big red box", "old red box")
    guesses = [Step("position", word, (0.2 + 0.2 * k, 0.2)) for k, word in enumerate(words)]
    earned = [
        value("process_accuracy", format_answer(Answer((), tuple(guesses[:count]))), truth)
        for count in (1, 2, 3, 4)
    ]
    assert earned == pytest.approx([1, 1 / 2, 1 / 3, 0])


@pytest.mark.parametrize(
    ("step", "written", "right"),
    [
        (Step("orientation", "mug", (1.0, 0.0, 0.0)), (0.81, 0.586, 0.0), 1.0),
        (Step("orientation", "mug", (1.0, 0.0, 0.0)), (0.79, 0.613, 0.0), 0.0),
        (Step("orientation", "mug", (1.0, 0.0, 0.0)), (0.0, 0.0, 0.0), 0.0),
        (Step("size", "mug", (0.2,)), (0.229,), 1.0),
        (Step("size", "mug", (0.2,)), (0.231,), 0.0),
        (Step("position", "mug", (0.5, 0.5)), (0.551, 0.5), 1.0),
        (Step("position", "mug", (0.5, 0.5)), (0.553, 0.5), 0.0),
    ],
)
def test_the_papers_thresholds(step: Step, written: tuple[float, ...], right: float) -> None:
    truth = replace(POINTING, steps=(step,))
    text = format_answer(Answer((), (replace(step, value=written),)))
    assert value("process_accuracy", text, truth) == right


@pytest.mark.parametrize("kind", ["position", "orientation", "size"])
def test_graded_steps_never_earn_more_farther_off(kind: str) -> None:
    far = np.linspace(0, 1, 40)
    if kind == "position":
        steps = [Step("position", "mug", (0.5 + 0.4 * f, 0.5)) for f in far]
    elif kind == "orientation":
        steps = [Step("orientation", "mug", (np.cos(3 * f), np.sin(3 * f), 0.0)) for f in far]
    else:
        steps = [Step("size", "mug", (0.5 + f,)) for f in far]
    truth = replace(POINTING, steps=steps[:1])
    earned = [
        value("process_accuracy_graded", format_answer(Answer((), (step,))), truth)
        for step in steps
    ]
    assert earned[0] == 1.0
    assert earned[-1] == 0.0
    assert earned == sorted(earned, reverse=True)
    assert len({round(score, 3) for score in earned}) > 5


@settings(max_examples=60, deadline=None)
@given(true=st.floats(0.1, 900), errors=st.tuples(st.floats(0, 0.4), st.floats(0, 0.4)))
def test_numbers_nearer_are_never_worse(true: float, errors: tuple[float, float]) -> None:
    near, far = sorted(errors)
    truth = Truth("how far?", reply=f"{true:.6f} m")
    earned = [value("numeric", answered(f"{true * (1 + e):.6f} m"), truth) for e in (near, far)]
    assert earned[0] >= earned[1] - 1e-6
    assert value("numeric", answered(truth.reply), truth) == 1.0


def test_a_true_zero_is_met_by_zero_alone() -> None:
    truth = Truth("how many?", reply="0")
    REWARDS["numeric"].check(truth)
    assert value("numeric", answered("0"), truth) == 1.0
    assert value("numeric", answered("1"), truth) == 0.0


@pytest.mark.parametrize("name", ["box_iou", "box_confidence"])
def test_boxes_that_hit_nothing_only_cost(name: str) -> None:
    truth = CASES[name].truth
    stray = (0.45, 0.05, 0.55, 0.15)
    earned = [
        value(name, answered(box_list(*truth.boxes, *[stray] * count)), truth) for count in range(6)
    ]
    assert earned[0] == 1.0
    assert earned == sorted(earned, reverse=True)
    assert earned[-1] == 0.0


@settings(max_examples=60, deadline=None)
@given(
    corner=st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)),
    size=st.tuples(st.floats(1e-3, 0.5), st.floats(1e-3, 0.5)),
    shift=st.floats(-1e-15, 1e-15),
)
def test_boxes_nearly_the_same_overlap_by_no_more_than_all(
    corner: tuple[float, float], size: tuple[float, float], shift: float
) -> None:
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    other = (box[0] + shift, box[1], box[2], box[3] - shift)
    assert 0.99 < iou([box], [other])[0, 0] <= 1.0


@pytest.mark.parametrize(("sure", "earned"), [(0.0, 2 / 3), (0.5, 1.5 / 3), (1.0, 1 / 3)])
def test_confidence_in_a_box_that_hits_nothing_costs(sure: float, earned: float) -> None:
    entries = [{"Position": box} for box in BOXES.boxes]
    stray = {"Position": [0.45, 0.05, 0.55, 0.15], "Confidence": sure}
    text = answered(json.dumps([*entries, stray]))
    assert value("box_confidence", text, BOXES) == pytest.approx(earned)


def test_boxes_are_matched_for_the_best_sum() -> None:
    """The nearest box first would leave the other object without one."""
    truth = Truth("mugs", boxes=((0.0, 0.0, 0.4, 0.4), (0.1, 0.0, 0.5, 0.4)))
    text = answered(box_list((0.09, 0.0, 0.49, 0.4), (0.2, 0.0, 0.6, 0.4)))
    assert value("box_iou", text, truth) == pytest.approx(
        0.5 * (0.31 / 0.49 + 0.3 / 0.5), abs=0.001
    )


@pytest.mark.parametrize(
    ("action", "written", "earned"),
    [
        ("Click(box=(0.5, 0.5))", "Click(box=(0.52, 0.5))", 1.0),
        ("Click(box=(0.5, 0.5))", "Click(box=(0.6, 0.5))", 0.75),
        ("Click(box=(0.5, 0.5))", "Click(box=(0.9, 0.5))", 0.5),
        ("Click(box=(0.5, 0.5))", "LongPress(box=(0.5, 0.5))", 0.0),
        ("PressBack()", "PressBack()", 1.0),
        ("Type(content='hello big world')", 'Type(content="hello world")', 1.0),
        ("Type(content='hello big world')", "Type(content='x y z hello')", 0.5),
        ("Type(content='hello')", "Type()", 0.5),
        (
            "Scroll(start=(0.5, 0.8), end=(0.5, 0.2))",
            "Scroll(start=(0.5, 0.75), end=(0.5, 0.25))",
            1.0,
        ),
        (
            "Scroll(start=(0.5, 0.8), end=(0.5, 0.2))",
            "Scroll(start=(0.5, 0.8), end=(0.5, 0.6))",
            0.5 + 0.5 * 2 / 3,
        ),
        (
            "Scroll(start=(0.5, 0.8), end=(0.5, 0.2))",
            "Scroll(start=(0.1, 0.4), end=(0.1, 0.1))",
            0.5 + 0.5 / 3,
        ),
        (
            "Scroll(start=(0.5, 0.8), end=(0.5, 0.2))",
            "Scroll(start=(0.1, 0.1), end=(0.1, 0.1))",
            0.5,
        ),
    ],
)
def test_actions_earn_by_their_parts(action: str, written: str, earned: float) -> None:
    truth = Truth("do it", action=action)
    REWARDS["ui_action"].check(truth)
    assert value("ui_action", answered(written), truth) == pytest.approx(earned)


def test_calls_earn_by_their_parts() -> None:
    truth = Truth("what changed?", reply="f(a, 1), g(b, 2)")
    for text, earned in (("f(a, 1)", 0.5), ("f(a, 2), g(c, 2)", 0.5), ("f(x, 9), g(x, 9)", 0.25)):
        assert value("function_sequence", answered(text), truth) == earned, text


@pytest.mark.parametrize(
    ("name", "truth", "lack"),
    [
        ("point", Truth("x", None, ((0.5, 0.5),)), "frame"),
        ("point", Truth("x", (64, 48), ((float("nan"), 0.5),)), "not finite"),
        ("point_mask", Truth("x", (64, 48), ((0.5, 0.5),)), "no mask"),
        ("point_mask", replace(POINTING, mask=encode(np.zeros((4, 4)))), "empty mask"),
        ("process_accuracy", replace(POINTING, size_px=None), "no frame"),
        ("process_accuracy", replace(POINTING, steps=(Step("size", "x", (0.0,)),)), "length 0"),
        ("numeric", Truth("x", reply="far away"), "number"),
        ("box_iou", Truth("x", boxes=((0.5, 0.5, 0.5, 0.9),)), "area"),
    ],
)
def test_what_a_dataset_lacks_is_said_before_training(name: str, truth: Truth, lack: str) -> None:
    with pytest.raises(RoboReferError, match=lack):
        REWARDS[name].check(truth)


def test_truths_come_from_samples_and_survive_json(discs: Path) -> None:
    sample = next(read_samples(discs))
    for question in sample.questions:
        truth = truth_of(sample, question)
        assert truth_from_json(truth_to_json(truth)) == truth
        assert truth.size_px == (64, 48)
        text = format_answer(question.answer)
        for name in ("outcome_format", "point", "point_mask", "process_format"):
            REWARDS[name].check(truth)
            assert value(name, text, truth) == 1.0
        if question.family == "object":
            assert value("point_in_box", text, truth) == 1.0
    assert truth_of(sample, sample.questions[0], (960, 540)).size_px == (960, 540)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"points": 3}', '{"colour": "red"}', "null"])
def test_a_truth_that_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(RoboReferError) as caught:
        truth_from_json(text)
    assert caught.value.code is ErrorCode.BAD_SAMPLE


def test_one_bad_line_of_thinking_costs_the_process_alone() -> None:
    text = RIGHT.replace("<think>\n", "<think>\nlet me see\n")
    assert value("process_format", text, POINTING) == 0.0
    for name in ("outcome_format", "point", "process_accuracy"):
        assert value(name, text, POINTING) == 1.0
