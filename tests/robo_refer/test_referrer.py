"""From an engine's text to a `Referral`: coordinates, scores, and why an answer is less."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from robo_refer.engines.base import Generation, Request, Timings
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.preprocess import PreprocessSpec
from robo_refer.referrer import Referrer
from robo_refer.types import CameraModel, Frame


class Writer(CanvasEngine):
    """An engine that writes what it is told and counts how often an image is encoded."""

    name = "writer"
    spec = PreprocessSpec(192, 144, 108, 108)

    def __init__(self, text: str, scores: tuple[float, ...] = ()) -> None:
        self.timings = Timings()
        self.encoded = 0
        self._written = Generation(text, (), scores)

    def answer(self, image: Any, depth: Any, requests: Sequence[Request]) -> list[Generation]:
        self.encoded += 1
        return [self._written] * len(requests)


def wide_frame(depth_m: float | None = 1.5) -> Frame:
    """16:9, so that the canvas is letterboxed; the camera stands 2 m up in the world."""
    pose = np.eye(4)
    pose[2, 3] = 2.0
    camera = CameraModel(320, 180, 200.0, 200.0, 159.5, 89.5, T_world_cam=pose)
    depth = None if depth_m is None else np.full((180, 320), depth_m, np.float32)
    return Frame(np.zeros((180, 320, 3), np.uint8), depth, camera)


def test_the_canvas_is_mapped_back_to_the_image_and_lifted() -> None:
    text = (
        "<think>\n[Position] [mug]: [(0.500, 0.125)]\n</think>\n<answer>[(0.500, 0.500)]</answer>"
    )
    referral = Referrer(Writer(text, (0.5, 0.9))).refer(wide_frame(), "the cup")
    point = referral.points[0]
    assert referral.status == "ok"
    assert point.uv_norm == pytest.approx((0.5, 0.5))
    assert point.uv_px == pytest.approx((159.5, 89.5))
    assert point.score == 0.9
    assert point.p_cam_m == pytest.approx((0, 0, 1.5), abs=1e-3)
    assert point.p_frame_m == pytest.approx((0, 0, 3.5), abs=1e-3)
    assert referral.steps[0].value == pytest.approx((0.5, 0.0))  # the upper border of the image


def test_a_point_without_a_score_is_not_lost() -> None:
    referral = Referrer(Writer("[(0.250, 0.500)]")).refer(wide_frame(), "the cup")
    assert [point.score for point in referral.points] == [None]


@pytest.mark.parametrize(
    ("text", "status"), [("<answer>[]</answer>", "no_target"), ("no idea", "unparsable_answer")]
)
def test_less_than_a_point_says_why(text: str, status: str) -> None:
    referral = Referrer(Writer(text)).refer(wide_frame(), "the cup")
    assert (referral.status, referral.points) == (status, ())
    assert referral.raw_answer == text


def test_without_depth_the_answer_stays_in_2d_and_with_a_hole_it_says_so() -> None:
    referrer = Referrer(Writer("[(0.500, 0.500)]", (0.9,)))
    flat = referrer.refer(wide_frame(None), "the cup")
    assert (flat.status, flat.points[0].p_cam_m) == ("ok", None)
    frame = wide_frame()
    assert frame.depth_m is not None
    frame.depth_m[50:130, 100:220] = 0
    holed = referrer.refer(frame, "the cup")
    assert (holed.status, holed.points[0].p_cam_m) == ("no_depth", None)


def test_one_frame_is_encoded_once_for_all_instructions() -> None:
    writer = Writer("[(0.500, 0.500)]", (0.9,))
    referrals = Referrer(writer).refer_many(wide_frame(), ["the cup", "the mug", "the can"])
    assert [r.instruction for r in referrals] == ["the cup", "the mug", "the can"]
    assert writer.encoded == 1


def test_bad_requests_are_refused_before_the_model_is_asked() -> None:
    writer = Writer("[(0.500, 0.500)]")
    for frame, text, code in (
        (wide_frame(), "", ErrorCode.BAD_INSTRUCTION),
        (wide_frame(0.0), "the cup", ErrorCode.BAD_DEPTH),
    ):
        with pytest.raises(RoboReferError) as caught:
            Referrer(writer).refer(frame, text)
        assert caught.value.code is code
    assert writer.encoded == 0


@pytest.mark.parametrize("name", ["mega", "m" * 300, "a\0b"])
def test_an_unknown_model_is_a_clear_error(name: str) -> None:
    with pytest.raises(RoboReferError) as caught:
        Referrer.from_pretrained(name)
    assert caught.value.code is ErrorCode.BAD_CHECKPOINT
