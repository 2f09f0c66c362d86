from __future__ import annotations

import json

import pytest

from robo_refer.cli.main import main as robo_refer
from robo_refer.errors import RoboReferError
from robo_refer.referrer import Referrer
from robo_refer_bench.cli import main
from tests.bench import fakes


@pytest.fixture
def model(discs, tmp_path, monkeypatch):
    """Name a folder with one file that loads as the oracle, or as a refuser without depth."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_text("some")
    engine = fakes.FakeEngine(fakes.truth, discs)
    monkeypatch.setattr(Referrer, "from_pretrained", lambda name: Referrer(engine))
    return str(folder)


def test_run_prints_tables_and_writes_files(discs, model, tmp_path, capsys):
    out, page = tmp_path / "p.jsonl", tmp_path / "p.md"
    main(["run", str(discs), "--model", model, "--out", str(out), "--markdown", str(page)])
    printed = capsys.readouterr().out
    assert "single-step relations" in printed
    assert "84 questions about 12 frames" in printed
    assert len(out.read_text().splitlines()) == 85
    assert page.read_text().count("| naming |") == 3


def test_run_prints_one_line_of_json(discs, model, capsys):
    main(["run", str(discs), "--model", model, "--limit", "9", "--depth", "none", "--json"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    stored = json.loads(lines[0])
    assert stored["questions"] == 9
    assert stored["settings"]["depth"] == "none"


def test_compare_reads_two_runs(discs, model, tmp_path, capsys):
    first, second = str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")
    main(["run", str(discs), "--model", model, "--out", first])
    main(["run", str(discs), "--model", model, "--out", second, "--depth", "shuffled"])
    capsys.readouterr()
    main(["compare", first, second, "--json"])
    stored = json.loads(capsys.readouterr().out)
    assert stored["second"]["depth"] == "shuffled"
    assert {row["p_value"] for row in stored["groups"]} == {1.0}
    main(["compare", first, second])
    assert "depth shuffled" in capsys.readouterr().out


def test_another_dataset_is_not_compared(discs, model, tmp_path, ask):
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    main(["run", str(discs), "--model", model, "--out", str(first)])
    header, *lines = first.read_text().splitlines()
    other = json.loads(header)
    other["data"]["generated/all"]["hash"] = "f" * 16
    second.write_text("\n".join([json.dumps(other), *lines]) + "\n")
    with pytest.raises(RoboReferError, match="other questions"):
        main(["compare", str(first), str(second)])


def test_failures_are_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        robo_refer(["bench", "run", str(tmp_path / "nowhere")])
    assert caught.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1


def test_unwritable_output_is_said(discs, model, tmp_path):
    with pytest.raises(RoboReferError, match="Is a directory"):
        main(["run", str(discs), "--model", model, "--out", str(tmp_path)])


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    for name in ("run", "compare", "speed"):
        assert name in printed
