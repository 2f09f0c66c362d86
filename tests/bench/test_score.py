from __future__ import annotations

import json
from dataclasses import replace

import pytest

from robo_refer.errors import RoboReferError
from robo_refer.metrics import wilson
from robo_refer.metrics.controls import CONTROLS
from robo_refer.parsing import format_answer
from robo_refer.types import Answer
from robo_refer_bench import report as reports
from robo_refer_bench.clients.controls import BLIND, BY_LETTER, PICTURE_ONLY
from robo_refer_bench.compare import compare
from robo_refer_bench.groups import GENERATED_GROUPS as GROUPS
from robo_refer_bench.runner import RunOptions
from robo_refer_bench.score import best_rules, control_hits, score
from robo_refer_bench.scored import score_items
from tests.bench import fakes, squares


def rows(found, half="all"):
    return {row.name: row for row in found.groups if row.half == half}


NOT_ASKED = {
    "by a relation",
    "reasoning, two and three steps",
    "reasoning, four and five steps",
    "placement",
}
"""Groups of families that are not asked about discs."""

ASKED = set(GROUPS) - NOT_ASKED - {"naming, medium target", "naming, large target"}
"""Groups of what is asked about discs, all of which are small."""


def test_oracle_scores_one_in_every_group(ask):
    found = score(*ask(fakes.truth))
    assert {row.name for row in found.groups} == ASKED
    assert {row.half for row in found.groups} == {"all", "natural", "decorrelated"}
    assert all(row.model.value == 1.0 for row in (*found.groups, *found.kinds))
    assert found.unreadable == 0
    assert {half: share.count for half, share in found.false_refusals.items()} == {
        "all": 0, "natural": 0, "decorrelated": 0,
    }  # fmt: skip


def test_groups_hold_the_questions_that_they_name(ask):
    groups = rows(score(*ask(fakes.truth)))
    sizes = {name: row.model.n for name, row in groups.items()}
    assert sizes == {
        "naming": 12,
        "naming, colour unique": 6,
        "naming, colour shared": 6,
        "naming, small target": 12,
        "single-step relations": 12,
        "nearest, farthest": 12,
        "two steps": 12,
        "three steps": 12,
        "free space": 12,
        "absent, refused": 12,
        "all": 84,
    }


def moved(scored, family, steps):
    """Return a scored item as if it were of another family and number of steps."""
    tags = {**scored.item.tags, "family": family}
    item = replace(scored.item, tags=tags, steps=steps)
    return replace(scored, asked=replace(scored.asked, item=item))


def test_relations_reasoning_and_placement_have_groups_of_their_own(ask):
    settings, scored = ask(fakes.truth)
    two, three = (s for s in scored[:7] if s.tag("family") == "object" and s.item.steps in (2, 3))
    others = [moved(two, "relation", 1), moved(two, "reasoning", 2), moved(three, "reasoning", 5)]
    others.append(moved(two, "placement", 2))
    groups = rows(score(settings, others))
    assert set(groups) == NOT_ASKED | {"all"}
    assert all(groups[name].model.n == 1 for name in NOT_ASKED)


def test_refuser_pays_with_false_refusals(ask):
    found = score(*ask(fakes.refusal))
    groups = rows(found)
    assert groups["absent, refused"].model.value == 1.0
    assert groups["all"].model.count == 12
    assert (found.false_refusals["all"].count, found.false_refusals["all"].n) == (72, 72)
    assert groups["all"].controls["always_refuse"].count == 12


def test_unreadable_answers_are_counted_and_no_refusals(ask):
    found = score(*ask(fakes.babble))
    assert found.unreadable == 84
    assert found.false_refusals["all"].count == 0
    assert rows(found)["all"].model.count == 0


def test_intervals_are_those_of_the_metrics(ask):
    row = rows(score(*ask(fakes.refusal)))["all"]
    wanted = wilson(12, 84)
    assert row.model.interval == (wanted.low, wanted.high)


def test_controls_are_scored_on_the_same_questions(ask):
    found = score(*ask(fakes.truth))
    natural, decorrelated = rows(found, "natural"), rows(found, "decorrelated")
    # Natural discs are nearer the lower they are; in the other half the left one is nearest.
    assert natural["nearest, farthest"].controls["lowest"].value == 1.0
    assert decorrelated["nearest, farthest"].controls["lowest"].value < 1.0
    assert decorrelated["nearest, farthest"].controls["leftmost"].value == 1.0
    assert natural["single-step relations"].controls["anchor_neighbour"].value == 1.0


def test_best_heuristic_is_chosen_per_kind_and_half(ask):
    settings, predictions = ask(fakes.truth)
    rules = best_rules(predictions)
    assert rules["object/nearest_camera", "natural"] == "lowest"
    assert rules["object/nearest_camera", "decorrelated"] == "leftmost"
    found = rows(score(settings, predictions))
    assert found["nearest, farthest"].best.value == 1.0
    assert found["absent, refused"].best.value == 0.0
    for row in found.values():
        strongest = max(share.count for name, share in row.controls.items() if name in PICTURE_ONLY)
        assert row.best.count >= strongest


def test_kinds_of_one_name_and_two_families_stay_apart(ask):
    found = score(*ask(fakes.truth))
    names = {row.name for row in found.kinds}
    assert {"object/two_step", "free_space/two_step"} <= names


def test_one_half_alone_gives_one_set_of_rows(ask):
    found = score(*ask(fakes.truth, RunOptions(half="natural")))
    assert {row.half for row in found.groups} == {"all"}


def test_tables_line_up_and_hold_every_row(ask):
    found = score(*ask(fakes.truth))
    text = reports.console(found)
    table = text.split("\n\n")[1].splitlines()
    assert len({line.index("100.0") for line in table[1:]}) == 1
    assert "upper bound" in text
    markdown = reports.markdown(found)
    for name in ASKED:
        assert markdown.count(f"| {name} |") == 3
    widths = {line.count("|") for line in markdown.splitlines() if line.startswith("|")}
    assert widths == {6 + len(CONTROLS) + 1}


def test_points_and_options_stand_in_one_table(ask):
    settings, _ = ask(fakes.truth, RunOptions(limit=1))
    found = score(settings, score_items([squares.square(0), squares.choice(0)], []))
    names = [set(row.controls) for row in found.groups]
    assert names == [set(BLIND), set(BY_LETTER)]
    assert "-" in reports.console(found)
    assert "| - |" in reports.markdown(found)


def test_a_control_is_compared_where_it_answers_everything():
    asked = [squares.square(0), squares.square(1), squares.choice(0)]
    scored = score_items(asked, [])
    assert set(control_hits(scored[:2])) == set(BLIND)
    assert control_hits(scored) == {}


def test_json_says_everything(ask):
    stored = json.loads(json.dumps(reports.as_dict(score(*ask(fakes.truth)))))
    assert (stored["questions"], stored["frames"], stored["unreadable"]) == (84, 12, 0)
    first = stored["groups"][0]
    assert first["model"]["n"] == 12
    assert set(first["controls"]) == set(CONTROLS)
    assert stored["settings"]["depth"] == "own"


def _blind_left(sample, question):
    return format_answer(Answer((sample.objects[0].point_norm,)))


def test_two_runs_are_compared_on_the_same_items(ask, tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    ask(fakes.truth, out=first)
    ask(_blind_left, out=second)
    found = compare(first, second)
    by_name = {row.name: row for row in found.groups}
    # The left disc is right about naming and three steps, never about relations.
    naming = by_name["naming"]
    assert (naming.first, naming.second, naming.p_value) == (12, 12, 1.0)
    relations = by_name["single-step relations"]
    assert (relations.first, relations.second, relations.only_first) == (12, 0, 12)
    assert relations.difference.estimate == 1.0
    assert relations.p_value == pytest.approx(2 / 2**12)
    backwards = {row.name: row for row in compare(second, first).groups}
    assert backwards["all"].difference.estimate == -by_name["all"].difference.estimate
    assert "McNemar" in reports.comparison(found)


def test_a_shorter_run_is_compared_on_what_it_has(ask, tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    ask(fakes.truth, out=first)
    ask(fakes.truth, RunOptions(limit=14, depth="none"), out=second)
    found = compare(first, second)
    assert {row.name: row.n for row in found.groups}["all"] == 14
    assert found.left_out == 70


def test_a_run_that_has_not_ended_is_said_beside_its_misses(ask, tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    ask(fakes.truth, out=first)
    assert "has not ended" not in reports.comparison(compare(first, first))
    second.write_bytes(b"".join(first.read_bytes().splitlines(keepends=True)[:-20]))
    found = compare(first, second)
    assert found.no_answer == (0, 20)
    assert "B has not ended: 20 of its questions have no answer" in reports.comparison(found)
    assert {row.name: row.first - row.second for row in found.groups}["all"] == 20


def test_runs_without_a_common_question_are_not_compared(ask, tmp_path):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    ask(fakes.truth, RunOptions(half="natural"), out=first)
    ask(fakes.truth, RunOptions(half="decorrelated"), out=second)
    with pytest.raises(RoboReferError, match="no question in common"):
        compare(first, second)
