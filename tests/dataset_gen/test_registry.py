"""The 31 relations: listed, three-valued, true to their inverses, right where it is plain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.relations import listed
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import NO, RELATIONS, UNSURE, YES, find
from tests.dataset_gen.made_scenes import made_scene

PAPER = {
    "left", "right", "close", "far", "depth", "above_world", "below_world", "above_image",
    "below_image", "tall", "short", "between", "rotation_horizontal", "rotation_vertical",
    "free_space", "corner", "edge", "angle", "distance", "front", "behind", "big", "small",
    "inside", "outside", "face", "back", "wide", "thin", "touch", "far_from",
}  # fmt: skip

OWN = {"faced", "parallel"}
PAIRS = [name for name, item in RELATIONS.items() if item.form == "pair"]
scenes = st.builds(made_scene, st.integers(0, 300), st.sampled_from(["natural", "decorrelated"]))
quick = settings(max_examples=25, deadline=None)


def test_all_31_are_there_and_say_what_they_are():
    assert set(RELATIONS) == PAPER | OWN == set(listed.__all__)
    assert {name for name, item in RELATIONS.items() if item.own} == OWN
    assert len(PAPER) == 31
    for item in RELATIONS.values():
        assert item.definition.endswith(".")
        assert all([item.margin, item.example, item.says])
        assert item.inverse == "" or RELATIONS[item.inverse].inverse == item.name


def test_an_unknown_name_is_a_clear_error():
    with pytest.raises(RoboReferError) as caught:
        find("leftish")
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert "left" in caught.value.remedy


@quick
@given(scenes)
def test_every_relation_has_its_shape_and_never_relates_a_thing_to_itself(observation):
    facts = Facts(observation)
    n = facts.n
    shapes = {"pair": (n, n), "single": (n,), "between": (n, n, n), "measure": (n,),
              "measure_pair": (n, n)}  # fmt: skip
    for item in RELATIONS.values():
        if item.form == "place":
            continue
        value = item.decide(facts)
        assert value.shape == shapes[item.form], item.name
        if item.form in ("pair", "single", "between"):
            assert set(np.unique(value)) <= {YES, NO, UNSURE}, item.name
        if item.form == "pair":
            assert (np.diag(value) == UNSURE).all(), item.name


@quick
@given(scenes)
def test_inverses_hold_from_the_other_side(observation):
    facts = Facts(observation)
    for name in PAIRS:
        if RELATIONS[name].inverse:
            truth = RELATIONS[name].decide(facts)
            assert (truth == RELATIONS[RELATIONS[name].inverse].decide(facts).T).all(), name


@quick
@given(scenes)
def test_directions_are_those_of_the_words(observation):
    facts = Facts(observation)
    larger_is_yes = {
        "right": facts.u, "below_image": facts.v, "far": facts.depth, "behind": facts.depth,
        "tall": np.array(facts.heights), "big": np.array(facts.volumes), "wide": facts.widths,
    }  # fmt: skip
    for name, values in larger_is_yes.items():
        truth = RELATIONS[name].decide(facts)
        for subject, reference in np.argwhere(truth == YES):
            assert values[subject] > values[reference], name
        for subject, reference in np.argwhere(truth == NO):
            assert values[subject] < values[reference], name


@quick
@given(scenes)
def test_opposites_never_hold_together(observation):
    facts = Facts(observation)
    apart = "left right front behind close far tall short big small wide thin above_image"
    apart += " below_image above_world below_world inside outside face back touch far_from"
    names = apart.split()
    for first, second in zip(names[::2], names[1::2], strict=True):
        one, other = RELATIONS[first].decide(facts), RELATIONS[second].decide(facts)
        assert not ((one == YES) & (other == YES)).any(), (first, second)


@quick
@given(scenes, st.sampled_from(["left", "close", "tall", "big", "wide", "above_image"]))
def test_orders_are_transitive(observation, name):
    truth = RELATIONS[name].decide(Facts(observation)) == YES
    via = (truth[:, :, None] & truth[None]).any(axis=1)
    assert not (via & (RELATIONS[name].decide(Facts(observation)) == NO)).any()


@quick
@given(scenes, st.floats(-0.03, 0.03))
def test_what_is_asked_survives_a_nudge_smaller_than_the_margin(observation, nudge):
    facts, nudged = Facts(observation), Facts(observation)
    nudged.u = facts.u + nudge * (np.arange(facts.n) % 2)
    before, after = RELATIONS["left"].decide(facts), RELATIONS["left"].decide(nudged)
    assert not ((before == YES) & (after == NO)).any()
    assert not ((before == NO) & (after == YES)).any()


def posed(centre, *, yaw=0.0, size=(0.1, 0.1, 0.1), front=None, support=0, kind="on"):
    """An object of a made scene, moved where a test wants it."""
    item = made_scene(0).objects[0]
    pose = np.eye(4)
    pose[:2, :2] = [[np.cos(yaw), -np.sin(yaw)], [np.sin(yaw), np.cos(yaw)]]
    pose[:3, 3] = centre
    return replace(
        item, T_world_obj=pose, size_m=np.array(size), front_obj=front,
        support_id=support, support_kind=kind,
    )  # fmt: skip


def facts_of(*objects, outline=None):
    """Facts of these objects, whatever the picture shows."""
    observation = made_scene(0)
    numbered = tuple(
        replace(item, id=number, name=f"thing {number}")
        for number, item in enumerate(objects, start=1)
    )
    instance = np.zeros_like(observation.instance)
    for number in range(1, len(objects) + 1):
        instance[number, number] = number
    return Facts(replace(observation, objects=numbered, instance=instance, table_outline=outline))


def test_facing_and_back_follow_the_front():
    for yaw, face, back in ((0.0, YES, NO), (np.pi, NO, YES), (np.pi / 2, NO, NO),
                            (np.radians(40), UNSURE, NO)):  # fmt: skip
        facts = facts_of(posed((0, 0, 0), yaw=yaw, front=np.array([1.0, 0, 0])), posed((0.5, 0, 0)))
        assert RELATIONS["face"].decide(facts)[0, 1] == face
        assert RELATIONS["back"].decide(facts)[0, 1] == back
        assert RELATIONS["face"].decide(facts)[1, 0] == UNSURE  # it has no front


def test_what_lies_on_its_back_faces_nothing():
    tilted = np.array([0.5, 0.0, np.sqrt(0.75)])  # a phone on the table: its front points up
    facts = facts_of(posed((0, 0, 0), front=tilted), posed((0.5, 0, 0)))
    for name in ("face", "back"):
        assert RELATIONS[name].decide(facts)[0, 1] == UNSURE
    assert RELATIONS["faced"].decide(facts)[1, 0] == UNSURE


def test_above_needs_overlap_and_height():
    below = posed((0, 0, 0.05))
    assert RELATIONS["above_world"].decide(facts_of(posed((0, 0, 0.15)), below))[0, 1] == YES
    assert RELATIONS["above_world"].decide(facts_of(posed((0.3, 0, 0.15)), below))[0, 1] == UNSURE
    assert RELATIONS["above_world"].decide(facts_of(posed((0, 0.3, 0.02)), below))[0, 1] == NO


def test_inside_needs_something_that_holds():
    cup, pen = posed((0, 0, 0)), posed((0, 0, 0), support=1, kind="in")
    facts = facts_of(cup, pen)
    assert RELATIONS["inside"].decide(facts)[1, 0] == UNSURE  # "thing 1" holds nothing
    facts.names[0] = "cup"
    assert RELATIONS["inside"].decide(facts)[1, 0] == YES
    assert RELATIONS["outside"].decide(facts)[1, 0] == NO
    assert RELATIONS["touch"].decide(facts)[0, 1] == YES


def test_corner_and_edge_of_a_table():
    outline = np.array([[-0.5, -0.4, 0], [0.5, -0.4, 0], [0.5, 0.4, 0], [-0.5, 0.4, 0]])
    places = ((0.42, 0.33, 0.05), (0, 0.33, 0.05), (0, 0, 0.05))  # bottoms on the table
    at_corner, at_edge, middle = (posed(place) for place in places)
    facts = facts_of(at_corner, at_edge, middle, outline=outline)
    assert RELATIONS["corner"].decide(facts).tolist() == [YES, NO, NO]
    assert RELATIONS["edge"].decide(facts).tolist() == [YES, YES, NO]
    no_table = facts_of(at_corner, at_edge, middle)
    assert RELATIONS["corner"].decide(no_table).tolist() == [UNSURE] * 3


def test_rotations():
    lying = posed((0, 0, 0))
    lying.T_world_obj[:3, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    facts = facts_of(posed((0, 0, 0)), lying)
    assert RELATIONS["rotation_vertical"].decide(facts) == pytest.approx([0, 90])
    towards = -facts.forward_world
    for turn in (0.0, 60.0, 180.0):
        c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
        front = np.array([c * towards[0] - s * towards[1], s * towards[0] + c * towards[1], 0])
        turned = facts_of(posed((0, 0, 0), front=front))
        assert RELATIONS["rotation_horizontal"].decide(turned) == pytest.approx([turn], abs=1e-6)


def test_distances_and_angles_agree_with_geometry():
    facts = facts_of(posed((0, 0, 0)), posed((0.3, 0.4, 0)), posed((0.01, 0, 0)))
    distance = RELATIONS["distance"].decide(facts)
    assert distance[0, 1] == pytest.approx(0.5)
    assert np.isnan(distance[0, 2])


@quick
@given(scenes)
def test_angles_are_those_between_lines_of_sight(observation):
    facts, camera = Facts(observation), observation.camera
    x = (facts.u * camera.width - 0.5 - camera.cx) / camera.fx
    y = (facts.v * camera.height - 0.5 - camera.cy) / camera.fy
    angle = RELATIONS["angle"].decide(facts)
    for a in range(facts.n):
        for b in range(facts.n):
            sights = np.array([[x[a], y[a], 1], [x[b], y[b], 1]])
            wanted = np.degrees(
                np.arctan2(np.linalg.norm(np.cross(*sights)), sights[0] @ sights[1])
            )
            assert angle[a, b] == pytest.approx(wanted, abs=1e-5) or wanted < 5 + 1e-5


def test_touching_and_far_apart_by_the_gap_between_boxes():
    for apart, touch, far in ((0.0, YES, NO), (0.01, UNSURE, NO), (0.03, NO, NO),
                              (0.2, NO, UNSURE), (0.31, NO, YES)):  # fmt: skip
        beside = posed((0.1 + apart, 0, 0), support=0 if apart else 1)
        facts = facts_of(posed((0, 0, 0)), beside)
        assert RELATIONS["touch"].decide(facts)[1, 0] == touch
        assert RELATIONS["far_from"].decide(facts)[0, 1] == far
