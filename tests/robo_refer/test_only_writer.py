from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.only_writer import only_writer

HOLD = """
import sys, time
from pathlib import Path
from robo_refer.only_writer import only_writer
with only_writer(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_second_process_is_told_and_a_killed_one_lets_go(tmp_path):
    output = tmp_path / "runs" / "nano"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(output)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(RoboReferError) as caught, only_writer(output):
            pass
        assert caught.value.code is ErrorCode.BUSY
        assert str(output) in caught.value.message
        with only_writer(tmp_path / "runs" / "other"):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with only_writer(output):
        pass


def test_a_name_in_the_way_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RoboReferError) as caught, only_writer(tmp_path / "file" / "run"):
        pass
    assert caught.value.code is ErrorCode.BAD_FILE


def test_it_is_held_by_whatever_name_it_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other_name = tmp_path / "run"
    with only_writer(Path("run")), pytest.raises(RoboReferError) as caught, only_writer(other_name):
        pass
    assert caught.value.code is ErrorCode.BUSY


@pytest.mark.parametrize(
    "words",
    [
        ["data", "generate", "--scenes", "1", "--out"],
        ["bench", "run", "refspatial_sim", "--out"],
        ["train", "sft", "--config", "train/configs/nano_sft.yaml", "--output"],
        ["train", "rft", "--config", "train/configs/nano_rft.yaml", "--output"],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_commands_hold_what_they_write(words, tmp_path):
    output = tmp_path / "run"
    with only_writer(output):
        done = subprocess.run(
            [sys.executable, "-m", "robo_refer.cli.main", *words, str(output)],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("robo-refer: BUSY: Another process is writing")
    assert not output.exists()
