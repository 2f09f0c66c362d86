"""The checkpoint that ships: its size, its two forms, and how steady its answers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from robo_refer import Frame, Referrer
from robo_refer.engines.base import Request
from robo_refer.engines.onnx_engine import OnnxEngine
from robo_refer.engines.torch_engine import TorchEngine
from robo_refer.parsing import parse
from robo_refer.referrer import BUNDLED
from robo_refer_data.demo import TAUGHT
from robo_refer_data.observation import Observation
from robo_refer_data.questions import ask
from robo_refer_data.scenes import observe

CHECKPOINT = Path(__file__).resolve().parents[2] / "train" / "checkpoints" / "nano"
SEEDS = (9_000_001, 9_000_002, 9_000_003, 9_000_004)
MEGABYTE = 1e6


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    halves = ("natural", "decorrelated")
    return [observe(seed, halves[seed % 2], 320, 240) for seed in SEEDS]


def frame_of(observation: Observation, depth_m: np.ndarray | None = None) -> Frame:
    depth = observation.depth_m if depth_m is None else depth_m
    return Frame(observation.rgb, depth, observation.camera)


def test_sizes() -> None:
    assert megabytes(BUNDLED["nano"]) <= 20
    assert megabytes(CHECKPOINT) <= 40


def test_torch_and_onnx_give_the_same_answers(observations: list[Observation]) -> None:
    ours, peer = OnnxEngine(BUNDLED["nano"]), TorchEngine(CHECKPOINT)
    assert ours.spec == peer.spec
    for observation in observations:
        questions = ask(observation, np.random.default_rng(0), 6, TAUGHT)
        texts = [question.text for question in questions]
        for frame in (frame_of(observation), Frame(observation.rgb)):
            requests = [Request(frame, text) for text in texts]
            first, second = ours.generate(requests), peer.generate(requests)
            assert [g.token_ids for g in first] == [g.token_ids for g in second]


def test_every_answer_is_in_the_grammar_and_in_the_image(
    observations: list[Observation],
) -> None:
    referrer = Referrer.from_pretrained("nano")
    for observation in observations:
        questions = ask(observation, np.random.default_rng(1), 12, TAUGHT)
        texts = [question.text for question in questions]
        for referral in referrer.refer_many(frame_of(observation), texts):
            assert referral.status in {"ok", "no_target", "no_depth", "unparsable_answer"}
            if referral.status == "unparsable_answer":
                assert not referral.points
                continue
            answer = parse(referral.raw_answer)
            assert len(answer.points) == len(referral.points)
            for point in referral.points:
                assert 0 <= point.uv_norm[0] <= 1
                assert 0 <= point.uv_norm[1] <= 1
                assert point.score is not None
                assert 0 <= point.score <= 1


def test_five_stray_depth_pixels_change_no_answer(observations: list[Observation]) -> None:
    referrer = Referrer.from_pretrained("nano")
    rng = np.random.default_rng(2)
    for observation in observations:
        texts = [question.text for question in ask(observation, rng, 8, TAUGHT)]
        dirty = observation.depth_m.copy()
        rows, columns = rng.integers(0, 240, 5), rng.integers(0, 320, 5)
        dirty[rows, columns] = 0.2
        clean_answers = referrer.refer_many(frame_of(observation), texts)
        dirty_answers = referrer.refer_many(frame_of(observation, dirty), texts)
        for clean, after in zip(clean_answers, dirty_answers, strict=True):
            assert [s.target for s in clean.steps] == [s.target for s in after.steps]
            assert len(clean.points) == len(after.points)
            for first, second in zip(clean.points, after.points, strict=True):
                assert second.uv_norm == pytest.approx(first.uv_norm, abs=0.02)
