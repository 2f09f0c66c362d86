"""Relations against plain restatements of their definitions, and their margins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_refer_data.relations import ANCHORED, Facts
from robo_refer_data.relations.between import between
from robo_refer_data.relations.extremes import EXTREMES, extreme
from robo_refer_data.relations.order import ordered
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY, clear_minimum
from tests.dataset_gen.made_scenes import made_scene

scenes = st.builds(made_scene, st.integers(0, 400), st.sampled_from(["natural", "decorrelated"]))
quick = settings(max_examples=40, deadline=None)


@quick
@given(scenes)
def test_beside_is_the_nearest_in_x_with_margins(observation):
    facts = Facts(observation)
    for name, sign in (("left_of", -1), ("right_of", 1)):
        for anchor, target in enumerate(ANCHORED[name](facts)):
            offsets = [sign * (u - facts.u[anchor]) for u in facts.u]
            others = [o for i, o in enumerate(offsets) if i != anchor]
            if target >= 0:
                assert min(map(abs, others)) >= 0.04
                rest = [o for i, o in enumerate(offsets) if i not in (anchor, target) and o > 0]
                assert offsets[target] > 0
                assert all(o >= offsets[target] + 0.04 for o in rest)
            elif target == EMPTY:
                assert max(others, default=-1) < 0


@quick
@given(scenes)
def test_front_and_behind_have_their_margins(observation):
    facts = Facts(observation)
    x, z = facts.visible_cam[:, 0], facts.visible_cam[:, 2]
    for name, sign in (("front_of", -1), ("behind", 1)):
        for anchor, target in enumerate(ANCHORED[name](facts)):
            if target >= 0:
                away = sign * (z[target] - z[anchor])
                assert away > 0.04 * min(z[target], z[anchor])
                assert abs(x[target] - x[anchor]) <= 0.8 * away + 1e-9
                for other in range(facts.n):
                    between_them = 0.01 * z[anchor] < sign * (z[other] - z[anchor]) < away
                    aside = abs(x[other] - x[anchor]) > 1.25 * abs(z[other] - z[anchor])
                    assert other in (anchor, target) or not between_them or aside


@quick
@given(scenes)
def test_front_and_behind_mirror_each_other(observation):
    facts = Facts(observation)
    front, behind = ANCHORED["front_of"](facts), ANCHORED["behind"](facts)
    for one, other in ((front, behind), (behind, front)):
        for anchor, target in enumerate(one):
            if target >= 0:  # then something is on the other side of the target: the anchor
                assert other[target] != EMPTY
                assert (facts.depth[target] < facts.depth[anchor]) == (one is front)


@quick
@given(scenes)
def test_nearest_and_farthest(observation):
    facts = Facts(observation)
    for name, farthest in (("nearest_to", False), ("farthest_from", True)):
        for anchor, target in enumerate(ANCHORED[name](facts)):
            if target < 0:
                continue
            distances = np.linalg.norm(facts.centre_world - facts.centre_world[anchor], axis=1)
            others = [d for i, d in enumerate(distances) if i not in (anchor, target)]
            if farthest:
                assert distances[target] >= 1.1 * max(others)
            else:
                assert distances[target] * 1.15 <= min(others)


@quick
@given(scenes)
def test_just_nearer_is_next_in_depth(observation):
    facts = Facts(observation)
    order = list(np.argsort(facts.depth))
    for anchor, target in enumerate(ANCHORED["just_nearer"](facts)):
        if target >= 0:
            assert order[order.index(anchor) - 1] == target
            assert facts.depth[anchor] / facts.depth[target] > 1.04


@quick
@given(scenes)
def test_support_relations_are_inverse(observation):
    facts = Facts(observation)
    on_top, under = ANCHORED["on_top_of"](facts), ANCHORED["under"](facts)
    for anchor, target in enumerate(on_top):
        if target >= 0:
            assert under[target] == anchor
            assert observation.objects[target].support_id == facts.ids[anchor]


def test_something_leaning_is_not_on_top():
    observation = made_scene(2)
    first, second, *rest = observation.objects
    leaning = replace(second, support_id=first.id, support_kind="leaning")
    rest = tuple(replace(item, support_id=0) for item in rest)
    facts = Facts(replace(observation, objects=(replace(first, support_id=0), leaning, *rest)))
    assert ANCHORED["on_top_of"](facts)[0] == AMBIGUOUS
    assert ANCHORED["under"](facts)[1] == AMBIGUOUS


def test_what_a_plate_holds_is_on_it():
    observation = made_scene(2)
    first, second, *rest = (replace(item, support_id=0) for item in observation.objects)
    held = replace(second, support_id=first.id, support_kind="in")
    for name, relation in (("plate", "on_top_of"), ("bowl", "inside")):
        objects = (replace(first, name=name), held, *rest)
        facts = Facts(replace(observation, objects=objects))
        assert ANCHORED[relation](facts)[0] == 1
        assert (ANCHORED["under"](facts)[1] == 0) == (name == "plate")


@quick
@given(scenes)
def test_between_lies_on_the_way(observation):
    facts = Facts(observation)
    for (first, second), target in between(facts).items():
        a, b, c = facts.centre_world[[first, second, target]]
        assert target not in (first, second)
        detour = np.linalg.norm(c - a) + np.linalg.norm(c - b)
        assert detour <= 1.25 * np.linalg.norm(b - a)


@quick
@given(scenes, st.sampled_from(["left", "right", "front"]))
def test_ordinals_count_in_order(observation, axis):
    facts = Facts(observation)
    order, safe = ordered(facts, axis, range(facts.n))
    values = {"left": facts.u, "right": -facts.u, "front": np.log(facts.depth)}[axis]
    margin = 0.05 if axis == "front" else 0.04
    assert sorted(order) == list(range(facts.n))
    for rank in safe:
        chosen = values[order[rank - 1]]
        assert sum(value < chosen for value in values) == rank - 1
        others = [abs(value - chosen) for i, value in enumerate(values) if i != order[rank - 1]]
        assert min(others, default=1) >= margin - 1e-9


@quick
@given(scenes, st.sampled_from(EXTREMES))
def test_extremes_have_margins(observation, attribute):
    facts = Facts(observation)
    best = extreme(facts, attribute, range(facts.n))
    if best == AMBIGUOUS:
        return
    values, ratio = {
        "nearest_camera": (facts.depths, 1.05),
        "farthest_camera": ([1 / d for d in facts.depths], 1.05),
        "smallest": (facts.volumes, 1.4),
        "biggest": ([1 / v for v in facts.volumes], 1.4),
        "shortest": (facts.heights, 1.15),
        "tallest": ([1 / h for h in facts.heights], 1.15),
    }[attribute]
    others = [value for i, value in enumerate(values) if i != best]
    assert all(value >= ratio * values[best] * 0.999 for value in others)


def test_extreme_needs_two():
    assert extreme(Facts(made_scene(1)), "biggest", [0]) == AMBIGUOUS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], AMBIGUOUS),
        ([float("inf")], AMBIGUOUS),
        ([1.0], 0),
        ([1.0, 1.05], AMBIGUOUS),
        ([2.0, 1.0], 1),
    ],
)
def test_clear_minimum(values, expected):
    assert clear_minimum(values, ratio=1.2, difference=0.1) == expected


def test_a_relation_is_empty_only_where_nothing_unlisted_is_seen():
    observation = made_scene(4)
    facts = Facts(observation)
    hidden = replace(observation, objects=observation.objects[:-1])
    assert EMPTY in ANCHORED["on_top_of"](facts)
    assert EMPTY not in ANCHORED["on_top_of"](Facts(hidden))
