"""Generation: same bytes for any number of workers, resumable, honest about what is there."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from robo_refer.data import Question, Sample, count_samples, masks, read_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, CameraModel
from robo_refer_data import cli
from robo_refer_data.generate import generate
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan
from robo_refer_data.summary import summarise, write_card

SIZE = {"width": 32, "height": 24}


def fake_sample(plan: Plan, index: int) -> Sample:
    """Make a small sample without a renderer; runs in the worker processes."""
    rng = np.random.default_rng([plan.seed, index])
    shape = (plan.height, plan.width)
    region = masks.encode(np.ones(shape, bool))
    questions = [Question("absent", "absent", 0, "the spoon", Answer(()), (), None)]
    questions += [
        Question("free_beside", "free_space", 1, "here", Answer(((0.5, 0.5),)), (), region)
    ] * (index % 3)
    return Sample(
        f"s{plan.seed}-{index:06d}",
        rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
        rng.uniform(0.5, 2, shape).astype(np.float32),
        CameraModel(plan.width, plan.height, 30, 30, 16, 12),
        (),
        tuple(questions),
        "fake",
        {"half": plan.scene_half(index), "threads": os.environ["OMP_NUM_THREADS"]},
    )


def failing_sample(plan: Plan, index: int) -> Sample:
    """Fail in the second shard, as a bug or a bad asset would."""
    if index >= plan.scenes_per_shard:
        raise RoboReferError(ErrorCode.BAD_SAMPLE, f"scene {index} is bad.", "Look at it.")
    return fake_sample(plan, index)


def dying_sample(plan: Plan, index: int) -> Sample:
    """Die without a word, as a process does that runs out of memory."""
    os._exit(9)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shard_paths(folder)}


def error_of(call: Callable[[], object]) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        call()
    return caught.value


def test_same_bytes_for_any_number_of_workers_and_after_a_resume(tmp_path: Path) -> None:
    plan = Plan(scenes=20, seed=5, **SIZE)
    generate(tmp_path / "one", plan, 1, fake_sample)
    assert [f"s5-{n:06d}" for n in range(20)] == [s.id for s in read_samples(tmp_path / "one")]

    error = error_of(lambda: generate(tmp_path / "two", plan, 1, failing_sample))
    assert error.code is ErrorCode.BAD_SAMPLE
    # Every shard that failed is named, and the others are finished first.
    assert "2 of 3 shards" in error.message
    assert "train-00001, train-00002" in error.message
    assert "scene 8 is bad." in error.message
    assert len(shard_paths(tmp_path / "two")) == 1
    finished = shard_paths(tmp_path / "two")[0].stat().st_mtime_ns
    (tmp_path / "two" / "data" / ".train-00001.parquet.1.tmp").write_text("of a killed run")

    run = generate(tmp_path / "two", plan, 2, fake_sample)
    assert run["scenes"] == 12
    assert shard_paths(tmp_path / "two")[0].stat().st_mtime_ns == finished
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    assert len(list((tmp_path / "two" / "data").iterdir())) == 3
    assert generate(tmp_path / "two", plan, 2, fake_sample)["scenes"] == 0


def test_workers_use_one_thread_and_leave_the_parent_as_it_was(tmp_path: Path) -> None:
    before = dict(os.environ)
    generate(tmp_path, Plan(scenes=2, **SIZE), 1, fake_sample)
    assert {sample.meta["threads"] for sample in read_samples(tmp_path)} == {"1"}
    assert dict(os.environ) == before


def test_a_dead_worker_is_an_error_that_says_so(tmp_path: Path) -> None:
    error = error_of(lambda: generate(tmp_path, Plan(scenes=2, **SIZE), 1, dying_sample))
    assert error.code is ErrorCode.UNKNOWN
    assert "worker" in error.message


def test_another_dataset_in_the_folder_is_refused(tmp_path: Path) -> None:
    generate(tmp_path, Plan(scenes=2, **SIZE), 1, fake_sample)
    error = error_of(lambda: generate(tmp_path, Plan(scenes=2, seed=1, **SIZE), 1, fake_sample))
    assert error.code is ErrorCode.BAD_REQUEST
    assert "seed is 0, not 1" in error.message
    many = Plan(scenes=2, hold_out=("left_of:behind",) * 1000, **SIZE)
    error = error_of(lambda: generate(tmp_path, many, 1, fake_sample))
    assert "hold_out is [], not ['left_of:behind', " in error.message
    assert len(error.message) < 400
    (tmp_path / "manifest.json").unlink()
    error = error_of(lambda: generate(tmp_path, Plan(scenes=2, **SIZE), 1, fake_sample))
    assert error.code is ErrorCode.BAD_REQUEST
    (tmp_path / "manifest.json").write_text("{")
    error = error_of(lambda: generate(tmp_path, Plan(scenes=2, **SIZE), 1, fake_sample))
    assert error.code is ErrorCode.BAD_FILE


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    plan = Plan(scenes=2, **SIZE)
    error = error_of(lambda: generate(tmp_path / "file" / "set", plan, 1, fake_sample))
    assert error.code is ErrorCode.BAD_FILE


def full_disk_sample(plan: Plan, index: int) -> Sample:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_is_an_error_and_what_is_finished_stays(tmp_path: Path) -> None:
    plan = Plan(scenes=16, **SIZE)
    generate(tmp_path, plan, 1, fake_sample)
    kept, lost = shard_paths(tmp_path)
    lost.unlink()
    error = error_of(lambda: generate(tmp_path, plan, 1, full_disk_sample))
    assert error.code is ErrorCode.BAD_FILE
    assert "No space" in error.message
    assert "second run goes on" in error.remedy
    assert shard_paths(tmp_path) == [kept]
    assert not list((tmp_path / "data").glob(".*"))


def test_a_dataset_of_another_version_is_not_continued(tmp_path: Path) -> None:
    plan = Plan(scenes=2, **SIZE)
    generate(tmp_path, plan, 1, fake_sample)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    (tmp_path / "manifest.json").write_text(json.dumps({**manifest, "generator": 3}))
    error = error_of(lambda: generate(tmp_path, plan, 1, fake_sample))
    assert error.code is ErrorCode.BAD_REQUEST
    assert "generator is 3, not" in error.message


def test_a_card_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    generate(tmp_path, Plan(scenes=2, **SIZE), 1, fake_sample)
    (tmp_path / "README.md").mkdir()
    error = error_of(lambda: write_card(tmp_path, {}, summarise(tmp_path)))
    assert error.code is ErrorCode.BAD_FILE


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("families", ("objects",)),
        ("relations", ("leftish",)),
        ("wording", "loud"),
        ("half", "both "),
    ],
)
def test_unknown_names_are_refused_with_those_there_are(option: str, value: object) -> None:
    error = error_of(lambda: Plan(scenes=1, **{option: value}))
    assert error.code is ErrorCode.BAD_REQUEST
    assert "Choose among" in error.remedy


@pytest.mark.parametrize(
    "wrong", [{"scenes": 0}, {"seed": -1}, {"seed": 2**32}, {"width": 8}, {"height": 100_000}]
)
def test_impossible_plans_are_refused(wrong: dict[str, int]) -> None:
    assert error_of(lambda: Plan(**{"scenes": 1, **wrong})).code is ErrorCode.BAD_REQUEST


@pytest.mark.parametrize("scenes", [1, 7, 8, 9, 511, 513, 2000, 40_000])
def test_shards_hold_every_scene_once(scenes: int) -> None:
    plan = Plan(scenes)
    indices = [index for shard in range(plan.shards) for index in plan.shard_scenes(shard)]
    assert indices == list(range(scenes))
    assert {plan.scene_half(index) for index in range(2)} == {"natural", "decorrelated"}
    assert Plan(scenes, half="natural").scene_half(1) == "natural"


def test_counts_and_card(tmp_path: Path) -> None:
    generate(tmp_path, Plan(scenes=6, **SIZE), 1, fake_sample)
    summary = summarise(tmp_path)
    assert summary.scenes == {"natural": 3, "decorrelated": 3}
    assert summary.as_dict()["kinds"] == {"absent": 6, "free_beside": 6}
    assert "| free_beside | free_space | 1 | 3 | 3 |" in summary.table()


def test_the_command_prints_json_and_writes_a_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A finished dataset of the same plan: the command has nothing left to render.
    generate(tmp_path, Plan(scenes=4, **SIZE), 1, fake_sample)
    arguments = ["--out", str(tmp_path), "--scenes", "4", "--size", "32x24", "--workers", "1"]
    cli.main(["generate", *arguments, "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["scenes"] == 4
    assert printed["new_scenes"] == 0
    assert printed["questions"] == 7
    assert "| absent | absent | 0 | 2 | 2 |" in (tmp_path / "README.md").read_text()
    cli.main(["generate", *arguments])
    cli.main(["stats", str(tmp_path)])
    assert "4 scenes of 32x24, 7 questions" in capsys.readouterr().out
    assert count_samples(tmp_path) == 4


@pytest.mark.parametrize("size", ["640", "640x", "ax3", "640x480x2", "-1x5"])
def test_a_wrong_size_is_a_plain_error(tmp_path: Path, size: str) -> None:
    arguments = ["generate", "--out", str(tmp_path), "--scenes", "1", f"--size={size}"]
    assert error_of(lambda: cli.main(arguments)).code is ErrorCode.BAD_REQUEST


def test_a_scene_follows_from_its_seed_and_not_from_the_size_of_the_dataset() -> None:
    first = make_sample(Plan(1, seed=3, width=160, height=120, questions=4), 0)
    again = make_sample(Plan(9, seed=3, width=160, height=120, questions=4), 0)
    other = make_sample(Plan(9, seed=4, width=160, height=120, questions=4), 0)
    np.testing.assert_array_equal(first.rgb, again.rgb)
    assert first.questions == again.questions
    assert first.meta == again.meta
    assert not np.array_equal(first.rgb, other.rgb)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"objects": (0, 3)}, "0 to 3"),
        ({"objects": (50, 50)}, "50 to 50"),
        ({"objects": (9, 3)}, "9 to 3"),
        ({"world": ("moon",)}, "moon"),
        ({"world": ()}, "world"),
        ({"assets": ()}, "objects"),
        ({"renderer": "pencil"}, "pencil"),
        ({"sensor": ("fog",)}, "fog"),
    ],
)
def test_impossible_scenes_are_refused(options, said) -> None:
    with pytest.raises(RoboReferError, match=said) as caught:
        Plan(scenes=1, **options)
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert caught.value.remedy


def test_worlds_are_drawn_and_a_missing_engine_is_said_first(tmp_path, monkeypatch) -> None:
    plan = Plan(scenes=40, seed=3, world=("desk", "shelf"), half="natural")
    worlds = [plan.scene_options(index).world for index in range(40)]
    assert worlds == [plan.scene_options(index).world for index in range(40)]
    assert 8 < worlds.count("desk") < 32
    assert Plan.from_manifest(plan.as_manifest()) == plan
    monkeypatch.delitem(sys.modules, "robo_refer_data.scenes.settle", raising=False)
    monkeypatch.delattr("robo_refer_data.scenes.settle", raising=False)
    monkeypatch.setitem(sys.modules, "mujoco", None)
    with pytest.raises(RoboReferError, match="mujoco") as caught:
        generate(tmp_path / "none", plan)
    assert caught.value.code is ErrorCode.MISSING_DEPENDENCY
    assert not (tmp_path / "none").exists()  # before any work
