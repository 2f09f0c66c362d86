"""nano's engine: one cache for many questions and callers, and folders that it cannot read."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from robo_refer import checkpoint_files as files
from robo_refer.engines.base import Request
from robo_refer.engines.onnx_engine import OnnxEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.referrer import BUNDLED
from robo_refer.types import Frame
from robo_refer_bench.drawn import drawn_frame

TEXTS = (
    "the object directly left of the green box",
    "the red ball",
    "the second object from the right",
    "the purple elephant",
)


@pytest.fixture(scope="module")
def engine() -> OnnxEngine:
    return OnnxEngine(BUNDLED["nano"])


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    frame = drawn_frame()
    seen = (frame, Frame(frame.rgb[:, ::-1].copy()))
    return [
        Request(frame, text, reason) for frame in seen for text in TEXTS for reason in (False, True)
    ]


def test_questions_that_share_a_frame_are_answered_as_alone(
    engine: OnnxEngine, requests: list[Request]
) -> None:
    alone = [engine.generate([request])[0].token_ids for request in requests]
    assert len(set(alone)) > len(TEXTS), "the answers do not depend on question and frame"
    for order in (requests, requests[::-1]):
        together = [answer.token_ids for answer in engine.generate(order)]
        assert together == (alone if order is requests else alone[::-1])


def test_callers_from_several_threads_get_their_own_answers(
    engine: OnnxEngine, requests: list[Request]
) -> None:
    alone = [engine.generate([request]) for request in requests]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda request: engine.generate([request]), requests * 3))
    assert [a[0].token_ids for a in at_once] == [a[0].token_ids for a in alone] * 3


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: shutil.copy(folder / files.VISION, folder / files.DECODER), "version"),
        (lambda folder: _see_more(folder / files.ONNX_CONFIG), "room for 800 tokens"),
    ],
)
def test_a_folder_that_cannot_work_is_a_clear_error(
    tmp_path: Path, spoil: object, why: str
) -> None:
    folder = tmp_path / "nano"
    shutil.copytree(BUNDLED["nano"], folder)
    assert callable(spoil)
    spoil(folder)
    with pytest.raises(RoboReferError, match=why) as caught:
        OnnxEngine(folder)
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
    assert "\n" not in str(caught.value)


def _see_more(path: Path) -> None:
    config = json.loads(path.read_text(encoding="utf-8"))
    config["preprocess"]["image_tokens"] = 700
    path.write_text(json.dumps(config), encoding="utf-8")
