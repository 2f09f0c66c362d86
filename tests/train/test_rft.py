"""What surrounds a run: filtering, the doctor, sequences of tasks, and bad input."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from conftest import disc_sample
from policies import small_run

from robo_refer.data import ShardWriter
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.model.loading import load_checkpoint
from robo_refer.only_writer import only_writer
from robo_refer_train import continual, rft
from robo_refer_train.cli import filter_items
from robo_refer_train.config import SftConfig, StageConfig, save_config
from robo_refer_train.doctor import examine
from robo_refer_train.filtering import (
    FORMAT,
    Probe,
    probe_items,
    read_probes,
    settings_of,
    summary,
    worth_practising,
)
from robo_refer_train.practice import prepare
from robo_refer_train.rft_config import RftConfig, load_rft_config
from robo_refer_train.sources import data_identity

OUTCOME = {"outcome_format": 1.0, "point_mask": 1.0}


@pytest.fixture
def config(discs: Path, policy: Path, tmp_path: Path) -> RftConfig:
    return replace(small_run(discs, policy, tmp_path / "run"), rewards=OUTCOME)


def test_probing_goes_on_where_it_was_killed(config: RftConfig, tmp_path: Path) -> None:
    whole = probe_items(config, tmp_path / "whole.jsonl", answers=3, limit=10)
    lines = whole.read_text().splitlines(keepends=True)
    assert len(lines) == 11  # the first says what was probed
    for kept in ("".join(lines[:6]) + lines[6][:20], lines[0][:20], ""):
        broken = tmp_path / "broken.jsonl"
        broken.write_text(kept)
        probe_items(config, broken, answers=3, limit=10)
        assert sorted(broken.read_text().splitlines()) == sorted(whole.read_text().splitlines())
    assert {probe.answers for probe in read_probes(whole).probes} == {3}
    assert "all" in summary(whole)


def test_a_file_of_probes_is_not_rewritten_to_go_on(
    config: RftConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = probe_items(config, tmp_path / "probes.jsonl", answers=2, limit=4)
    whole = out.read_bytes()
    out.write_bytes(whole + b'{"key": "cut')

    def full(*_: object, **__: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        for write in ("write_text", "write_bytes"):
            patched.setattr(Path, write, full)
        probe_items(config, out, answers=2, limit=4)
    assert out.read_bytes() == whole


def test_probes_of_two_runs_are_not_mixed(config: RftConfig, tmp_path: Path) -> None:
    out = probe_items(config, tmp_path / "probes.jsonl", answers=2, limit=4)
    begun = out.read_bytes()
    other = tmp_path / "other"
    shutil.copytree(config.start_from, other)
    with ShardWriter(tmp_path / "moved") as writer:  # the same ids, as of data of the same seed
        for number in range(24):
            writer.write(replace(disc_sample(number + 1), id=disc_sample(number).id))
    changes = {
        "policy": {"start_from": str(other)},
        "data": {"data": (str(tmp_path / "moved"),)},
        "temperature": {"temperature": 0.5},
        "rewards": {"rewards": {"outcome_format": 1.0}},
    }
    for name, change in changes.items():
        with pytest.raises(RoboReferError, match=f"another run, with another {name}") as caught:
            probe_items(replace(config, **change), out, answers=2, limit=4)
        assert caught.value.code is ErrorCode.BAD_REQUEST
    with pytest.raises(RoboReferError, match="another answers"):
        probe_items(config, out, answers=3, limit=4)
    assert out.read_bytes() == begun
    practised = replace(config, practise=str(out), **changes["data"])
    with pytest.raises(RoboReferError, match="are not those of") as caught:
        rft.chosen_items(practised, prepare(practised).items)
    assert caught.value.code is ErrorCode.BAD_FILE


def test_two_processes_do_not_write_one_file_of_probes(config: RftConfig, tmp_path: Path) -> None:
    save_config(config, tmp_path / "run.yaml")
    out = tmp_path / "probes.jsonl"
    with only_writer(out), pytest.raises(RoboReferError, match="BUSY"):
        filter_items(tmp_path / "run.yaml", out, answers=2, limit=2)
    assert not out.exists()


def test_data_is_told_by_what_it_holds_and_not_by_where_it_lies(
    discs: Path, mixed_discs: Path, tmp_path: Path
) -> None:
    copied = shutil.copytree(discs, tmp_path / "copied")
    assert data_identity([copied]) == data_identity([discs])
    assert data_identity([mixed_discs]) != data_identity([discs])  # other depth, the same ids
    assert data_identity([discs, mixed_discs]) != data_identity([mixed_discs, discs])


def test_only_what_is_solved_sometimes_is_practised(config: RftConfig, tmp_path: Path) -> None:
    twice = replace(config, data=config.data * 2)  # every id is in it twice
    items = prepare(twice).items
    path = tmp_path / "probes.jsonl"
    shares = [0.0, 1.0, 0.5, 0.25]
    probes = [Probe(items.key(item), "kind", 4, share, 0, 0) for item, share in enumerate(shares)]
    lines = [{"robo_refer_probes": FORMAT, **settings_of(twice, 4)}, *map(vars, probes)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    practised = replace(twice, practise=str(path))
    assert worth_practising(path, twice.data) == {items.key(2), items.key(3)}
    assert rft.chosen_items(practised, items) == [2, 3]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines[:3]))
    with pytest.raises(RoboReferError, match="None of the items"):
        rft.chosen_items(practised, items)


def test_the_doctor_tells_a_model_that_sees_depth_from_a_blind_one(
    config: RftConfig, tmp_path: Path
) -> None:
    assert all(finding.healthy for finding in examine(config))
    model, processor = load_checkpoint(Path(config.start_from))
    with torch.no_grad():
        for parameter in model.model.depth_projector.parameters():
            parameter.zero_()
    blind = tmp_path / "blind"
    model.save_pretrained(blind)
    processor.save_pretrained(blind)
    findings = examine(replace(config, start_from=str(blind)))
    assert not any(finding.healthy for finding in findings if "moves" in finding.check)


def test_averages_and_forgetting() -> None:
    matrix = continual.Matrix(
        ("a", "b", "c"),
        (10, 10, 10),
        (0.1, 0.1, 0.1),
        ((0.8, 0.2, 0.1), (0.6, 0.9, 0.1), (0.5, 0.7, 0.6)),
    )
    assert matrix.average == pytest.approx(0.6)
    assert matrix.forgetting == pytest.approx(((0.5 - 0.8) + (0.7 - 0.9)) / 2)
    assert "forgetting -25.0" in matrix.table()


def test_a_sequence_of_tasks_goes_on_where_it_was(
    config: RftConfig, tiny_config: SftConfig, discs: Path, tmp_path: Path
) -> None:
    stage = StageConfig("step", 1, 2, "language", warmup_steps=1)
    base = replace(tiny_config, objective="words", stages=(stage,), report_to=())
    save_config(base, tmp_path / "sft.yaml")
    sequence = continual.ContinualConfig(
        "sft",
        str(tmp_path / "sft.yaml"),
        config.start_from,
        str(tmp_path / "sequence"),
        {"first": str(discs), "second": str(discs)},
        {"first": str(discs), "second": str(discs)},
        test_items=6,
    )
    matrix = continual.run(sequence)
    assert len(matrix.accuracy) == 2
    assert matrix.items == (6, 6)
    changed = (tmp_path / "sequence" / "1-second" / "final" / "model.safetensors").stat().st_mtime
    assert continual.run(sequence) == matrix
    again = (tmp_path / "sequence" / "1-second" / "final" / "model.safetensors").stat().st_mtime
    assert again == changed


def test_a_config_round_trips_and_names_what_is_unknown(config: RftConfig, tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    save_config(config, path)
    assert load_rft_config(path) == config
    path.write_text(path.read_text() + "learning_rat: 1\n")
    with pytest.raises(RoboReferError, match="learning_rat"):
        load_rft_config(path)


def _code(config: RftConfig) -> ErrorCode:
    with pytest.raises(RoboReferError) as caught:
        rft.run(config)
    assert not list(Path(config.output).glob("checkpoint-*"))
    return caught.value.code


def test_bad_input_is_said_before_training(config: RftConfig, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign" / "data"
    foreign.mkdir(parents=True)
    pq.write_table(pa.table({"prompt": ["a"], "answer": ["b"]}), foreign / "train-00000.parquet")
    other = tmp_path / "llama"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "llama"}')
    bad = {
        "data": ((str(foreign.parent),), ErrorCode.BAD_FILE),
        "start_from": (str(other), ErrorCode.BAD_CHECKPOINT),
        "rewards": ({"kindness": 1.0}, ErrorCode.BAD_REQUEST),
        "prompts_per_pass": (3, ErrorCode.BAD_REQUEST),
        "practise": (str(tmp_path / "nothing.jsonl"), ErrorCode.BAD_FILE),
        "kinds": (("no_such_kind",), ErrorCode.BAD_FILE),
        "steps": (0, ErrorCode.BAD_REQUEST),
        "save_steps": (0, ErrorCode.BAD_REQUEST),
        "group_size": (1, ErrorCode.BAD_REQUEST),
        "lora_rank": (4, ErrorCode.BAD_REQUEST),  # all of the policy is to be trained
        "report_to": (("wandbb",), ErrorCode.BAD_REQUEST),
    }
    for number, (name, (value, code)) in enumerate(bad.items()):
        run = replace(config, output=str(tmp_path / f"run{number}"), **{name: value})
        assert _code(run) is code, name


def test_a_run_is_not_continued_with_another_config(config: RftConfig) -> None:
    save_config(config, Path(config.output) / "config.yaml")
    with pytest.raises(RoboReferError, match="began with another learning_rate"):
        rft.run(replace(config, learning_rate=0.5))
