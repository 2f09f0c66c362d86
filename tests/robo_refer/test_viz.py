"""Pictures of answers: the right size for any image, with marks where the points are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from robo_refer.types import Frame, Referral, ReferredPoint, Step
from robo_refer.viz import draw
from robo_refer.viz.depth import HOLE, depth_picture, depth_range
from robo_refer.viz.draw import BAD, GOOD, PANEL_WIDTHS, annotate, result_line
from robo_refer.viz.marks import ANCHOR, ANSWER, TRUTH
from robo_refer.viz.text import drawable, text_size, wrap


def frame_of(width: int, height: int, with_depth: bool = True) -> Frame:
    depth = np.linspace(0.5, 2.0, width * height, dtype=np.float32).reshape(height, width)
    depth[: height // 4, : width // 4] = 0
    return Frame(np.full((height, width, 3), 128, np.uint8), depth if with_depth else None)


def answer(u: float, v: float, *steps: Step, text: str = "the mug") -> Referral:
    point = ReferredPoint(
        uv_px=(u * 100 - 0.5, v * 100 - 0.5), uv_norm=(u, v), score=0.9, p_cam_m=(0.0, 0.3, 0.4)
    )
    return Referral(text, "nano", "ok", (point,), steps, "", {})


def share(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where a picture has (nearly) a colour."""
    return (np.abs(picture.astype(int) - colour).max(axis=2) < 12).nonzero()


@pytest.mark.parametrize("size", [(16, 16), (100, 100), (640, 480), (1280, 720), (4000, 3000)])
@pytest.mark.parametrize("with_depth", [True, False])
def test_every_image_becomes_a_legible_picture(size: tuple[int, int], with_depth: bool) -> None:
    picture = annotate(frame_of(*size, with_depth), [answer(0.5, 0.5)])
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    panels = 2 if with_depth else 1
    assert PANEL_WIDTHS[0] <= picture.shape[1] / panels <= PANEL_WIDTHS[1] + 6
    assert picture.shape[0] > size[1] * min(1, PANEL_WIDTHS[1] / size[0])


@pytest.mark.parametrize("size", [(16, 40_000), (40_000, 16), (17, 1000), (480, 640)])
def test_no_image_becomes_a_picture_that_fills_the_memory(size: tuple[int, int]) -> None:
    picture = annotate(frame_of(*size), [answer(0.5, 0.5, Step("position", "bowl", (0.1, 0.9)))])
    assert max(picture.shape[:2]) < 4000


@pytest.mark.parametrize("point", [(0.25, 0.75), (0.9, 0.1), (0.0, 0.0), (1.0, 1.0)])
def test_the_mark_is_where_the_point_is(point: tuple[float, float]) -> None:
    picture = annotate(frame_of(640, 480, False), [answer(*point)], caption=False)
    rows, columns = share(picture, ANSWER)
    assert rows.size > 0
    if point == (0.25, 0.75):  # whole, so its middle is the point
        assert columns.mean() == pytest.approx(160, abs=2)
        assert rows.mean() == pytest.approx(360, abs=2)


def test_anchor_is_drawn_unless_it_is_the_answer_itself() -> None:
    frame = frame_of(640, 480, False)
    away = answer(0.2, 0.5, Step("position", "bowl", (0.8, 0.5)))
    _, columns = share(annotate(frame, [away], caption=False), ANCHOR)
    assert columns.min() > 450
    same = answer(0.2, 0.5, Step("position", "mug", (0.2, 0.5)))
    assert share(annotate(frame, [same], caption=False), ANCHOR)[0].size == 0


def test_points_bear_the_numbers_of_the_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of later answers once were one too low after an answer without a point."""
    labels: list[str] = []
    monkeypatch.setattr(draw, "draw_point", lambda *given: labels.append(given[-1]))
    refused = replace(answer(0.5, 0.5), status="no_target", points=())
    one, other = answer(0.1, 0.5), answer(0.9, 0.5)
    both = replace(one, points=one.points + other.points)
    for referrals, numbers in (
        ([refused, one, other], ["2", "3"]),
        ([both, other], ["1", "1", "2"]),
        ([both], ["1", "2"]),
        ([one], [""]),
    ):
        labels.clear()
        annotate(frame_of(100, 100, False), referrals)
        assert labels == numbers


def test_truth_is_outlined() -> None:
    mask = np.zeros((480, 640), bool)
    mask[100:200, 300:400] = True
    picture = annotate(frame_of(640, 480, False), [answer(0.1, 0.9)], [mask], caption=False)
    rows, columns = share(picture, TRUTH)
    assert rows.min() == pytest.approx(100, abs=4)
    assert columns.max() == pytest.approx(400, abs=4)
    assert not ((rows > 120) & (rows < 180) & (columns > 320) & (columns < 380)).any()


def test_input_is_left_alone() -> None:
    frame = frame_of(640, 480)
    before = frame.rgb.copy()
    annotate(frame, [answer(0.5, 0.5)])
    np.testing.assert_array_equal(frame.rgb, before)


def test_result_line_says_distance_and_verdict() -> None:
    mask = np.zeros((100, 100), bool)
    mask[45:55, 45:55] = True
    hit, miss = result_line(answer(0.5, 0.5), mask), result_line(answer(0.1, 0.1), mask)
    assert hit.text == "0.50 m away · confidence 0.90 · hit"
    assert hit.colour == GOOD
    assert miss.text.endswith("miss")
    assert miss.colour == BAD
    refusal = Referral("a dog", "nano", "no_target", (), (), "", {})
    assert result_line(refusal).text == "nothing matches"


def test_depth_picture_shows_holes_and_spans_the_measured() -> None:
    depth = np.full((60, 80), np.nan, np.float32)
    depth[20:, :] = np.linspace(1, 3, 80, dtype=np.float32)
    depth[20, 0] = 60.0  # one stray pixel does not set the scale
    near, far = depth_range(depth)
    assert 1.0 <= near < 1.1
    assert 2.9 < far <= 3.0
    picture = depth_picture(depth, (640, 480))
    assert tuple(picture[5, 5]) == HOLE
    left, right = picture[240, 20].astype(int), picture[240, 620].astype(int)
    assert left[0] > left[2]  # near is warm
    assert right[2] > right[0]


@pytest.mark.parametrize(
    "depth", [np.zeros((30, 40)), np.full((30, 40), 0.7), np.full((30, 40), np.inf)]
)
def test_depth_picture_of_nothing_is_still_a_picture(depth: np.ndarray) -> None:
    assert depth_picture(depth.astype(np.float32), (320, 240)).shape == (240, 320, 3)


def test_text_that_a_font_cannot_draw_is_replaced() -> None:
    assert drawable("Käse · “5 ± 1”\n日本", unicode_font=False) == 'Kase - "5 +/- 1" ??'
    assert drawable("Käse ·\t日本\x07", unicode_font=True) == "Käse · 日本?"


def test_long_text_is_wrapped_and_cut_to_the_width() -> None:
    lines = wrap("the mug left of the bowl " * 20, 20, 300)
    assert len(lines) == 2
    assert lines[1].endswith("...")
    assert all(text_size(line, 20)[0] <= 300 for line in lines)
    assert len(wrap("x" * 500, 20, 300)) == 1
