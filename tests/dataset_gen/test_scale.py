"""Scale: killed at any moment and run again, the bytes are the same; what fails is named."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from test_generate import SIZE, bytes_of, error_of, fake_sample

from robo_refer.data import Sample, shard_path, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.atomic import write_atomically
from robo_refer_data.generate import generate
from robo_refer_data.plan import Plan
from robo_refer_data.scale.job import raise_failures

KILLS = 20
PLAN = Plan(scenes=192, seed=11, **SIZE)  # 24 shards of 8
MOMENT = "ROBO_REFER_TEST_MOMENT"
"""Environment variable "INDEX WHERE": at which sample to kill all processes, and when then."""


def kill_everything(*_: object, **__: object) -> None:
    os.killpg(0, signal.SIGKILL)


def mortal_sample(plan: Plan, index: int) -> Sample:
    """Make a sample, and kill worker and parent as `kill -9` would at the moment that is set."""
    at, where = os.environ[MOMENT].split()
    if index == int(at):
        if where == "sample":
            kill_everything()
        elif where == "flush":  # the shard is written, but not yet safe on the disk
            os.fsync = kill_everything
        else:  # it is safe, but has no name yet
            os.rename = os.replace = kill_everything  # type: ignore[assignment]
            Path.replace = kill_everything  # type: ignore[assignment,method-assign]
    return fake_sample(plan, index)


def _generate_alone(out: Path) -> None:
    os.setpgid(0, 0)  # so that the test itself survives
    generate(out, PLAN, 1, mortal_sample)


@pytest.mark.slow
def test_killed_twenty_times_the_bytes_are_those_of_an_undisturbed_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generate(tmp_path / "calm", PLAN, 1, fake_sample)
    calm = bytes_of(tmp_path / "calm")
    out, rng = tmp_path / "killed", np.random.default_rng(2)
    for _ in range(KILLS):
        missing = [n for n in range(PLAN.shards) if not shard_path(out, n).exists()]
        # Among the next shards, so that the run gets there soon.
        index = rng.choice(PLAN.shard_scenes(missing[min(int(rng.integers(3)), len(missing) - 1)]))
        monkeypatch.setenv(MOMENT, f"{index} {rng.choice(['sample', 'flush', 'name'])}")
        run = multiprocessing.get_context("fork").Process(target=_generate_alone, args=(out,))
        run.start()
        run.join()
        assert run.exitcode == -signal.SIGKILL
        whole = bytes_of(out) if list((out / "data").glob("*.parquet")) else {}
        assert whole.items() <= calm.items()
        if len(whole) > PLAN.shards - 4:
            for path in shard_paths(out)[:8]:  # so that there is something left to kill
                path.unlink()
    generate(out, PLAN, 2, fake_sample)
    assert bytes_of(out) == calm
    assert {path.suffix for path in (out / "data").iterdir()} == {".parquet"}


def dying_at_nine(plan: Plan, index: int) -> Sample:
    """Die over one scene every time, as a process does that runs out of memory."""
    if index == 9:
        os._exit(9)
    return fake_sample(plan, index)


def dying_once(plan: Plan, index: int) -> Sample:
    mark = Path(os.environ[MOMENT])
    if index == 9 and not mark.exists():
        mark.touch()
        os._exit(9)
    return fake_sample(plan, index)


def test_a_worker_that_dies_once_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MOMENT, str(tmp_path / "died"))
    plan = Plan(scenes=16, **SIZE)
    run = generate(tmp_path / "set", plan, 1, dying_once)
    assert (tmp_path / "died").exists()
    assert run["scenes"] == 16
    assert len(shard_paths(tmp_path / "set")) == 2


def test_a_shard_that_kills_its_worker_twice_is_named_and_the_others_are_made(
    tmp_path: Path,
) -> None:
    plan = Plan(scenes=24, **SIZE)
    error = error_of(lambda: generate(tmp_path, plan, 1, dying_at_nine))
    assert error.code is ErrorCode.UNKNOWN
    assert "1 of 3 shards" in error.message
    assert "train-00001" in error.message
    assert shard_paths(tmp_path) == [shard_path(tmp_path, 0), shard_path(tmp_path, 2)]


def broken_sample(plan: Plan, index: int) -> Sample:
    """Fail as a bug does, over a mesh that nobody thought of."""
    raise FileNotFoundError(f"no mesh {index}")


def test_a_bug_in_one_scene_is_named_with_its_index(tmp_path: Path) -> None:
    error = error_of(lambda: generate(tmp_path, Plan(scenes=2, **SIZE), 1, broken_sample))
    assert error.code is ErrorCode.UNKNOWN
    assert "sample 0 failed: FileNotFoundError: no mesh 0" in error.message
    assert not list((tmp_path / "data").iterdir())


def test_many_failures_are_one_sentence() -> None:
    reason = RoboReferError(ErrorCode.BAD_SAMPLE, "it is bad.", "Look.")
    raise_failures({}, 100)
    error = error_of(lambda: raise_failures(dict.fromkeys(range(30), reason), 100))
    assert error.code is ErrorCode.BAD_SAMPLE
    assert "30 of 100 shards" in error.message
    assert "and 10 more" in error.message


def test_a_file_appears_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "folder" / "file"
    write_atomically(path, b"first")

    def fail(_: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        write_atomically(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.slow
def test_a_ray_cluster_makes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # the workers import this module
    plan = Plan(scenes=20, seed=5, **SIZE)
    generate(tmp_path / "here", plan, 1, fake_sample)
    generate(tmp_path / "ray", plan, make=fake_sample, ray="local")
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "ray")


def test_no_ray_cluster_is_a_plain_error(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    error = error_of(
        lambda: generate(tmp_path, Plan(scenes=2, **SIZE), make=fake_sample, ray="127.0.0.1:1")
    )
    assert error.code is ErrorCode.BACKEND_UNREACHABLE
    assert "ray start --head" in error.remedy
