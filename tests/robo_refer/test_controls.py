from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robo_refer.metrics.controls import CONTROLS, control_points
from tests.bench.fakes import disc_sample

RNG = np.random.default_rng(0)


def points(name, sample, index=0):
    return CONTROLS[name].rule(sample, sample.questions[index], RNG)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("lowest", lambda item: item.point_norm[1], max),
        ("highest", lambda item: item.point_norm[1], min),
        ("leftmost", lambda item: item.point_norm[0], min),
        ("rightmost", lambda item: item.point_norm[0], max),
        ("largest", lambda item: item.id, max),  # discs grow from left to right
        ("smallest", lambda item: item.id, min),
        ("nearest", lambda item: item.depth_m, min),
        ("farthest", lambda item: item.depth_m, max),
    ],
)
def test_extremes_point_at_the_extreme_object(name, value, wanted):
    for number in range(6):
        sample = disc_sample(number)
        assert points(name, sample) == (wanted(sample.objects, key=value).point_norm,)


def test_most_central_measures_in_pixels():
    sample = disc_sample(0)
    side = replace(sample.objects[0], point_norm=(0.62, 0.5))  # 0.12 of 96 px: 11.5 px
    above = replace(sample.objects[1], point_norm=(0.5, 0.35))  # 0.15 of 72 px: 10.8 px
    sample = replace(sample, objects=(side, above))
    assert points("most_central", sample) == (above.point_norm,)


def test_random_object_reaches_every_object_and_nothing_else():
    sample = disc_sample(0)
    drawn = {points("random_object", sample)[0] for _ in range(60)}
    assert drawn == {item.point_norm for item in sample.objects}


def test_lower_half_stays_in_the_lower_half():
    drawn = np.array([points("lower_half", disc_sample(0))[0] for _ in range(50)])
    assert drawn[:, 1].min() >= 0.5
    assert drawn.max() <= 1


def test_anchor_neighbour_is_beside_the_last_anchor_and_no_anchor():
    sample = disc_sample(0)
    _, middle, right = sample.objects
    assert sample.questions[1].step_ids == (1,)
    assert points("anchor_neighbour", sample, 1) == (middle.point_norm,)
    assert sample.questions[3].step_ids == (1, 2)
    assert points("anchor_neighbour", sample, 3) == (right.point_norm,)


def test_only_one_control_refuses():
    sample = disc_sample(3)
    for index in range(len(sample.questions)):
        refusing = [name for name, answer in control_points(sample, index).items() if not answer]
        assert refusing == ["always_refuse"]


def test_same_question_gets_the_same_draws_and_others_do_not():
    sample = disc_sample(1)
    assert control_points(sample, 0) == control_points(sample, 0)
    draws = {control_points(disc_sample(n), i)["lower_half"] for n in range(5) for i in range(7)}
    assert len(draws) == 35


def test_scene_without_objects_has_no_object_to_point_at():
    sample = replace(disc_sample(0), objects=())
    assert points("lowest", sample) == points("random_object", sample) == ()
    assert points("image_centre", sample) == ((0.5, 0.5),)


def test_best_heuristics_know_only_the_picture():
    known = {name for name, control in CONTROLS.items() if not control.picture_only}
    assert known == {"nearest", "farthest", "anchor_neighbour", "always_refuse"}


def test_labels_are_short_and_distinct():
    labels = [control.label for control in CONTROLS.values()]
    assert len(set(labels)) == len(labels)
    assert max(map(len, labels)) <= 7
