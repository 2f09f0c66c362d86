"""`robo-refer`: it teaches, and every expected failure is one line with a code and a remedy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from robo_refer.cli import main as cli
from robo_refer.errors import ErrorCode, RoboReferError

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(
        str(ROOT / name) for name in ("", "dataset_gen", "train", "bench")
    ),
}


def run(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        cli.main(argv)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


def stand_in(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `robo-refer point` fail with an error."""

    def fail(argv: list[str]) -> None:
        raise error

    monkeypatch.setattr(cli, "_load", lambda target: fail)


@pytest.mark.parametrize("argv", [[], ["--help"], ["-h"], ["help"]])
def test_alone_it_names_every_command_and_an_example(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(argv, capsys)
    assert status == 0
    assert err == ""
    for name, command in cli.COMMANDS.items():
        assert f"  {name} " in out
        assert command.summary in out
    assert "robo-refer point --rgb" in out


def test_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(["--version"], capsys)
    assert status == 0
    assert out.startswith("robo-refer ")
    assert len(out.split()) >= 2


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_is_where_the_table_says(name: str) -> None:
    module, function = cli.COMMANDS[name].target.split(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run([name, "--help"], capsys)
    assert status == 0
    assert f"robo-refer {name}" in out


def test_unknown_command_names_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(["pont"], capsys)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("robo-refer: BAD_REQUEST: ")
    assert ", ".join(cli.COMMANDS) in err


def test_failure_is_one_line_even_if_the_message_has_several(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, RoboReferError(ErrorCode.BAD_DEPTH, "One\ntwo.", "Do\nthis."))
    status, out, err = run(["point"], capsys)
    assert (status, out, err) == (2, "", "robo-refer: BAD_DEPTH: One two. Do this.\n")


def test_failure_is_json_too_for_machines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, RoboReferError(ErrorCode.BAD_DEPTH, "No.", "Do this."))
    status, out, err = run(["point", "--json"], capsys)
    assert status == 2
    assert json.loads(out) == {
        "status": "bad_depth", "code": 15, "message": "No.", "remedy": "Do this.",
    }  # fmt: skip
    assert err == "robo-refer: BAD_DEPTH: No. Do this.\n"


@pytest.mark.parametrize(
    "wrong", [["point", "--rbg", "a.png"], ["point"], ["serve", "--port", "x"], ["model", "x"]]
)
def test_wrong_usage_is_told_to_people_and_to_machines(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(wrong, capsys)
    assert (status, out) == (2, "")
    assert f"robo-refer {wrong[0]} --help" in " ".join(err.split())
    status, out, err = run([*wrong, "--json"], capsys)
    assert status == 2
    assert json.loads(out)["status"] == "bad_request"
    assert err


def test_missing_optional_package_names_its_pip_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn"))
    status, _, err = run(["train"], capsys)
    assert status == 2
    assert err.startswith("robo-refer: MISSING_DEPENDENCY: ")
    assert "pip install 'robo-refer[torch]'" in err


def test_other_import_errors_are_bugs_and_stay_visible(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, ModuleNotFoundError("gone", name="robo_refer.gone"))
    with pytest.raises(ModuleNotFoundError):
        cli.main(["point"])


def test_interrupt_ends_quietly(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, KeyboardInterrupt())
    assert run(["point"], capsys) == (130, "", "")


def test_reader_that_goes_away_is_no_traceback() -> None:
    command = f"{sys.executable} -m robo_refer.cli.main --help | true"
    for _ in range(3):  # whether the pipe breaks is a race
        done = subprocess.run(
            ["bash", "-c", command], env=ENVIRONMENT, cwd=ROOT, capture_output=True, check=False
        )
        assert done.stderr == b""


def test_dispatcher_imports_nothing_heavy() -> None:
    code = (
        "import sys; from robo_refer.cli.main import main; main(['--help']); "
        "bad = {'torch', 'transformers', 'onnxruntime', 'cv2', 'numba'} & set(sys.modules); "
        "sys.exit(', '.join(bad) or 0)"
    )
    subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, check=True, capture_output=True
    )
