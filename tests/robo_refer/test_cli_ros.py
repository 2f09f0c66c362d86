"""`robo-refer ros` where there is no ROS: it finds the Python that has it, or says what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from robo_refer.cli import ros
from robo_refer.errors import ErrorCode, RoboReferError


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and a Python without ROS."""
    monkeypatch.setattr(ros, "find_spec", lambda name: None)
    monkeypatch.setattr(ros, "__file__", str(tmp_path / "site" / "robo_refer" / "cli" / "ros.py"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    ros.main(["--help"])
    said = capsys.readouterr().out
    assert all(f"\n  {name} " in said for name in ros.MODULES)


def test_unknown_commands_are_refused() -> None:
    with pytest.raises(RoboReferError) as error:
        ros.main(["fly"])
    assert error.value.code is ErrorCode.BAD_REQUEST
    assert "run, demo, ask" in error.value.remedy


def test_without_ros_it_says_how_to_get_it(nowhere: Path) -> None:
    with pytest.raises(RoboReferError) as error:
        ros.main(["run"])
    assert error.value.code is ErrorCode.MISSING_DEPENDENCY
    assert "make ros" in error.value.remedy


def test_the_workspace_of_the_checkout_is_used(nowhere: Path) -> None:
    for name in ("ros2_ws", ".venv-ros", "bin"):
        (nowhere / name).mkdir()
    (nowhere / ".venv-ros" / ".built").touch()
    (nowhere / "ros2_ws" / "activate").write_text(f'export PATH="{nowhere}/bin:$PATH"\n')
    python = nowhere / "bin" / "python"
    python.write_text('#!/bin/sh\nfor word in "$@"; do echo "$word"; done\n')
    python.chmod(0o755)
    command = ros.ros_command(["robo_refer_ros.commands.ask", "the mug; $HOME", "--wait-s", "3"])
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    words = ["-m", "robo_refer_ros.commands.ask", "the mug; $HOME", "--wait-s", "3"]
    assert done.stdout.splitlines() == words
