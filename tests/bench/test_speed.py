from __future__ import annotations

import builtins
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from robo_refer.cli.packages import missing_dependency
from robo_refer.engines.base import Generation, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.preprocess import PreprocessSpec
from robo_refer.referrer import Referrer
from robo_refer_bench import fresh, speed
from robo_refer_bench.drawn import drawn_frame


class StubEngine(CanvasEngine):
    """Writes always the same tokens, and says how long its parts took."""

    name = "stub"
    spec = PreprocessSpec(32, 24, 4, 4)

    def __init__(self, tokens=(1, 2, 3)):
        self.timings = Timings()
        self.calls = []
        self._tokens = tokens

    def answer(self, image, depth, requests):
        assert depth is not None
        self.calls.append((requests[0].instruction, requests[0].reason))
        self.timings.towers += 0.5
        self.timings.prefill += 0.25
        self.timings.decode += 0.125
        return [Generation("[(0.502, 0.502)]", self._tokens, (0.9,)) for _ in requests]


def test_drawn_frame_is_the_same_every_time_and_has_holes():
    frame = drawn_frame()
    assert (frame.width, frame.height) == (640, 480)
    np.testing.assert_array_equal(frame.rgb, drawn_frame().rgb)
    np.testing.assert_array_equal(frame.depth_m, drawn_frame().depth_m)
    assert 0.005 < (frame.depth_m == 0).mean() < 0.05
    assert frame.depth_m.dtype == np.float32


def test_both_sides_are_measured_in_turn_after_the_check():
    order = []
    ours, peer = StubEngine(), StubEngine()
    for side, engine in (("ours", ours), ("peer", peer)):
        original = engine.generate

        def logged(*args, side=side, original=original):
            order.append(side)
            return original(*args)

        engine.generate = logged
    question = speed.QUESTIONS[1]
    result = speed.compare(Referrer(ours), Referrer(peer), drawn_frame(), question, 3, 100.0)
    assert order == ["ours", "peer", "ours", "peer", "peer", "ours", "ours", "peer"]
    assert set(ours.calls) == {(question.text, True)}
    assert result.tokens == 4
    assert len(result.pairs) == 3
    # Timings are of one answer, not summed over all.
    assert result.parts_s["towers"] == 0.5
    assert result.parts_s["prefill"] == 0.25
    assert result.parts_s["decode"] == 0.125


def test_other_tokens_are_an_error():
    ours, peer = Referrer(StubEngine()), Referrer(StubEngine((1, 2)))
    with pytest.raises(RoboReferError, match="same answer") as caught:
        speed.compare(ours, peer, drawn_frame(), speed.QUESTIONS[0], 1, 0.0)
    assert caught.value.code is ErrorCode.BAD_REQUEST


def _cost(wall, cpu):
    return speed.Cost(wall, cpu)


def test_medians_and_ratios():
    pairs = (
        speed.Pair(_cost(1.0, 2.0), _cost(4.0, 6.0)),
        speed.Pair(_cost(2.0, 2.0), _cost(4.0, 6.0)),
        speed.Pair(_cost(1.0, 2.0), _cost(5.0, 8.0)),
    )
    parts = dict.fromkeys(speed.PARTS, 0.001)
    result = speed.Result(speed.QUESTIONS[0], 7, pairs, parts, 321.0)
    assert result.ours == _cost(1.0, 2.0)
    assert result.peer == _cost(4.0, 6.0)
    assert result.ratio_wall == 4.0
    assert result.ratio_cpu == 3.0
    measured = speed.Speed(
        "nano", "nano", 2, "a processor", (1.0, 1.0, 1.0), (2.0, 1.0, 1.0),
        {"import robo_refer": 0.05}, (result,),
    )  # fmt: skip
    text = speed.console(measured)
    for part in ("4.00x", "3.00x", "321 MB", "load average", "decode 1.0", "50 ms"):
        assert part in text
    assert json.loads(json.dumps(measured.as_dict()))["results"][0]["ratio_wall"] == 4.0


def test_without_torch_the_extra_is_named(monkeypatch):
    real = builtins.__import__

    def no_torch(name, *args, **kwargs):
        if name.split(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_torch)
    monkeypatch.delitem(sys.modules, "robo_refer.engines.torch_engine", raising=False)
    with (
        pytest.raises(RoboReferError, match=r"robo-refer\[torch\]") as caught,
        missing_dependency(),
    ):
        speed.measure("nano", Path("nowhere"), 1, 1)
    assert caught.value.code is ErrorCode.MISSING_DEPENDENCY


def test_a_missing_checkpoint_is_named(tmp_path):
    load = speed.load_peer()
    with pytest.raises(RoboReferError, match="no checkpoint folder") as caught:
        load(tmp_path / "none", 1)
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT


def test_impossible_numbers_are_refused():
    with pytest.raises(RoboReferError, match="at least 1"):
        speed.measure("nano", Path("nowhere"), 0, 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no processor affinity here")
def test_pinning_limits_the_cores():
    before = os.sched_getaffinity(0)
    try:
        assert speed.pin(1) == len(os.sched_getaffinity(0)) == 1
    finally:
        os.sched_setaffinity(0, before)
    assert speed.pin(10_000) == len(before)


def test_a_fresh_process_tells_its_own_peak_memory():
    held = np.ones(60_000_000)  # 480 MB in this process must not count there
    code = "from robo_refer_bench.fresh import own_peak_rss_mb as f; print(f())"
    peak = float(fresh._python(["-c", code]))
    assert 5 < peak < held.nbytes / 1e6


def test_a_failing_process_is_one_sentence():
    with pytest.raises(RoboReferError, match="ValueError: no") as caught:
        fresh._python(["-c", "raise ValueError('no')"])
    assert caught.value.code is ErrorCode.UNKNOWN


def test_import_times_are_positive():
    assert fresh.import_seconds("import json", repeats=1) > 0


def test_a_process_that_hangs_is_given_up(monkeypatch):
    monkeypatch.setattr(fresh, "_TIMEOUT_S", 0.2)
    with pytest.raises(RoboReferError, match=r"did not end within 0\.2 s"):
        fresh._python(["-c", "import time; time.sleep(600)"])
