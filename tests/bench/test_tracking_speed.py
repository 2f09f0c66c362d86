"""The tracker's benchmark: it runs on what nano answers about the drawn frame."""

from __future__ import annotations

import pytest

from robo_refer_bench import tracking_speed


def test_it_follows_what_nano_points_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tracking_speed, "FRAMES", 6)
    monkeypatch.setattr(tracking_speed, "ANSWERS", 1)
    tracking_speed.main()
    said = capsys.readouterr().out
    assert [line.split(":")[0] for line in said.splitlines()] == ["tracker", "nano", "ratio"]
