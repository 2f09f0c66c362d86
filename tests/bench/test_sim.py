from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
import yaml

from robo_refer.errors import RoboReferError
from robo_refer_bench import cli
from robo_refer_bench.suites import sim_recipe
from robo_refer_bench.suites.base import AbsentTruth, Item
from robo_refer_bench.suites.refspatial_sim import REFSPATIAL_SIM
from robo_refer_bench.suites.sim_recipe import SPLITS, read_recipe

MINIATURE = {
    "scenes": 8,
    "seed": 1,
    "size": "96x72",
    "questions": 30,
    "families": ["object", "free_space"],
    "items": 6,
    "per_scene": dict.fromkeys(SPLITS, 3),
    "held_out": [["left_of", "left_of"], ["right_of", "right_of"], ["nth_left", "nearest_to"],
                 ["nth_left", "left_of"], ["nth_right", "right_of"], ["right_of", "nearest_to"]],
    "hashes": {},
}  # fmt: skip


def item(picture: str, steps: int, chain: str = "", family: str = "object") -> Item:
    return Item(
        f"{picture}/{steps}{chain}", "p", AbsentTruth(), lambda: None, steps=steps,
        tags={"family": family, "chain": chain}, picture=picture,
    )  # fmt: skip


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipe") / "miniature.yaml"
    path.write_text(yaml.safe_dump(MINIATURE, sort_keys=False, default_flow_style=None))
    return path


def test_the_shipped_recipe_is_whole():
    recipe = read_recipe()
    assert recipe.items == 2000
    assert set(recipe.per_scene) == set(SPLITS)
    assert set(recipe.hashes) <= set(SPLITS)
    assert len(recipe.held_out) >= 10
    assert recipe.scenes * min(recipe.per_scene.values()) >= recipe.items


def test_items_go_to_one_split_only(recipe):
    chosen = replace(read_recipe(recipe), items=1)
    items = [
        item("a", 0),
        item("a", 2, "left_of behind"),
        item("a", 1, "free_left", "free_space"),
        item("a", 2, "left_of left_of"),
        item("a", 6, "left_of left_of"),
        item("a", 1, "left_of", "absent"),
    ]
    found = {split: [i.id for i in chosen.select(split, items)] for split in SPLITS}
    assert found == {
        "location": ["a/2left_of behind"],
        "placement": ["a/1free_left"],
        "unseen": ["a/2left_of left_of"],
    }


def test_rare_numbers_of_steps_come_first(recipe):
    chosen = replace(read_recipe(recipe), items=4, per_scene=dict.fromkeys(SPLITS, 2))
    items = [item(name, steps) for name in "ab" for steps in (1, 1, 1, 2)]
    steps = [found.steps for found in chosen.select("location", items)]
    assert sorted(steps) == [1, 1, 2, 2]
    with pytest.raises(RoboReferError, match="4 items of location, not 5"):
        replace(chosen, items=5).select("location", items)


def test_a_recipe_that_is_none(tmp_path):
    path = tmp_path / "r.yaml"
    path.write_text("scenes: [")
    with pytest.raises(RoboReferError, match="no recipe"):
        read_recipe(path)


@pytest.mark.slow
def test_it_is_made_by_the_generator_and_held_to_its_hash(recipe, tmp_path, capsys):
    arguments = ["sim", str(tmp_path / "sim"), "--recipe", str(recipe), "--workers", "1", "--json"]
    cli.main([*arguments, "--write-hash"])
    made = json.loads(capsys.readouterr().out.splitlines()[-1])["hashes"]
    assert yaml.safe_load(recipe.read_text())["hashes"] == made
    assert yaml.safe_load(recipe.read_text()) | {"hashes": {}} == MINIATURE
    cli.main(arguments)  # nothing is made again, and the hashes hold
    suite = replace(REFSPATIAL_SIM, recipe=recipe)
    for split in SPLITS:
        items = suite.items(split, tmp_path / "sim")
        assert len(items) == 6
        held_out = read_recipe(recipe).held_out
        pairs = [set(pairwise(i.tags["chain"].split())) & held_out for i in items]
        assert all(pairs) if split == "unseen" else not any(pairs)
    recipe.write_text(recipe.read_text().replace(made["unseen"], "0" * 16))
    sim_recipe.read_recipe.cache_clear()
    with pytest.raises(RoboReferError, match="the hash of unseen"):
        suite.items("unseen", tmp_path / "sim")


def test_what_the_generator_reports_is_reported(recipe, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text(recipe.read_text().replace("96x72", "96"))
    with pytest.raises(RoboReferError, match="not WIDTHxHEIGHT"):
        sim_recipe.make(bad, tmp_path / "sim", 1)
