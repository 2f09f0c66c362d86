"""The tasks as lmms-eval reads them: YAML with functions of the file beside it."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path

import pytest
import yaml

import robo_refer_bench
from tests.bench import made_suites as made

FOLDER = Path(robo_refer_bench.__file__).parent / "lmms_eval_tasks"
Image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def utils():
    spec = importlib.util.spec_from_file_location("lmms_utils", FOLDER / "utils.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def doc():
    return {
        "id": 1,
        "image": Image.fromarray(made.picture()),
        "mask": Image.fromarray(made.left_half()),
        "object": "the mug",
        "prompt": "Point out the mug.",
        "suffix": made.SUFFIX,
        "step": 1,
    }


def test_every_task_names_functions_that_exist(utils):
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!function", lambda loader, node: node.value)
    template = yaml.load((FOLDER / "_refspatial_bench_yaml").read_text(), Loader)
    names = [value for value in template.values() if str(value).startswith("utils.")]
    names += [metric["aggregation"] for metric in template["metric_list"]]
    assert len(names) == 5
    for name in names:
        assert callable(getattr(utils, name.removeprefix("utils.")))
    tasks = [yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yaml"))]
    group = next(task for task in tasks if "group" in task)
    singles = {task["task"]: task["test_split"] for task in tasks if "group" not in task}
    assert sorted(singles.values()) == ["location", "placement", "unseen"]
    assert set(group["task"]) == {n for n, split in singles.items() if split != "unseen"}


def test_answers_are_asked_for_and_scored_by_both_modes(utils, doc):
    assert utils.doc_to_text(doc) == f"Point out the mug. {made.SUFFIX}"
    assert utils.doc_to_visual(doc)[0].size == (made.WIDTH, made.HEIGHT)
    found = utils.process_results(doc, ["[(0.2, 0.5), (0.8, 0.5)]"])
    assert found == {"refspatial_strict": 1.0, "refspatial_official": 0.5}
    skipped = utils.process_results(doc, ["(0.9, 0.0, 0.1, 1.0)"])
    assert skipped["refspatial_official"] is None
    assert utils.mean_of_counted([1.0, None, 0.0]) == 0.5
    assert math.isnan(utils.mean_of_counted([None]))


def test_the_family_is_named_by_the_environment(utils, doc, monkeypatch):
    monkeypatch.setenv("ROBO_REFER_FAMILY", "gemini")
    assert "the mug" in utils.doc_to_text(doc)
    found = utils.process_results(doc, ['[{"point": [500, 200]}]'])
    assert found == {"refspatial_strict": 1.0, "refspatial_official": 0.0}
    monkeypatch.setenv("ROBO_REFER_FAMILY", "qwen3")
    assert utils.process_results(doc, ['[{"point_2d": [200, 500]}]'])["refspatial_strict"] == 1
