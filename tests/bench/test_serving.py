"""The load test: what it counts, and that a wrong answer shows."""

from __future__ import annotations

import json

import pytest

from robo_refer.errors import RoboReferError
from robo_refer_bench import serving
from robo_refer_bench.cli import main


def test_one_and_many_callers_get_the_models_own_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["serve", "--clients", "4", "--requests", "16", "--json"])
    measured = json.loads(capsys.readouterr().out)
    assert (measured["one"]["clients"], measured["many"]["clients"]) == (1, 4)
    assert (measured["one"]["requests"], measured["many"]["requests"]) == (4, 16)
    assert measured["one"]["wrong"] == measured["many"]["wrong"] == 0
    assert measured["many"]["p99_ms"] >= measured["many"]["median_ms"] > 0


def test_a_wrong_answer_is_counted() -> None:
    requests = serving._requests()[:4]
    expected = serving._answers("nano", requests)
    with serving.served("nano") as url:
        assert serving._crowd(url, requests, expected, 2, 4).wrong == 0
        assert serving._crowd(url, requests, ["9.999,9.999", *expected[1:]], 2, 4).wrong == 1


def test_a_server_that_does_not_start_is_said() -> None:
    with pytest.raises(RoboReferError, match="does not start"), serving.served("no-such-model"):
        pass
