"""The strict mode: the final answer alone decides, and whatever went wrong is a miss."""

from __future__ import annotations

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import is_hit
from robo_refer.parsing import family
from robo_refer_bench.records import OK, Record
from robo_refer_bench.scoring.choices import read_choice
from robo_refer_bench.scoring.verdict import Verdict
from robo_refer_bench.suites.base import (
    AbsentTruth,
    BoxTruth,
    ChoiceTruth,
    Item,
    MaskTruth,
    PlaceTruth,
    Point,
    PolygonTruth,
    Truth,
)

HIT = Verdict(1.0)
OUTSIDE = Verdict(0.0, "outside")
NO_ANSWER = Verdict(0.0, "no_answer")
UNREADABLE = Verdict(0.0, ErrorCode.UNPARSABLE_ANSWER.name.lower())
_ANSWERED = (OK, ErrorCode.NO_TARGET.name.lower(), ErrorCode.NO_DEPTH.name.lower())


def strict(record: Record | None, item: Item) -> Verdict:
    """Return whether the final answer is right: 1 or 0, always counted.

    Of several points the first decides (models write the best one first, and a robot goes to one
    place), as in `robo_refer.metrics.score_answer`. Points of the reasoning are no answers. No
    record, an error while asking and an answer that cannot be read are misses with their reason.

    Args:
        record: the answer, None where there is none.
        item: what was asked.

    Raises:
        RoboReferError: BAD_REQUEST for a family that is not known; BAD_FILE or BAD_IMAGE when the
            suite's own files cannot be read.
    """
    if record is None:
        return NO_ANSWER
    truth = item.truth
    if record.status not in _ANSWERED:
        return Verdict(0.0, record.status)
    if isinstance(truth, ChoiceTruth):
        chosen = read_choice(record.raw_answer, truth.options)
        if chosen is None:
            return UNREADABLE
        return HIT if chosen == truth.correct else Verdict(0.0, "other_option")
    if isinstance(truth, PlaceTruth):
        if record.place_m is None:
            return Verdict(0.0, "no_place")
        return HIT if truth.holds(record.place_m) else OUTSIDE
    points = answer_points(record, item)
    if points is None:
        return UNREADABLE
    if isinstance(truth, AbsentTruth):
        return HIT if not points else Verdict(0.0, "pointed_at_nothing")
    if not points:
        return Verdict(0.0, "refused")
    return HIT if lies_in(points[0], truth, item) else OUTSIDE


def answer_points(record: Record, item: Item) -> tuple[Point, ...] | None:
    """Return the points of the final answer, or None where it cannot be read."""
    if record.points is not None:
        return record.points
    reader = family(record.family)
    width, height = record.image_size if record.image_size != (0, 0) else _size(item)
    try:
        return reader.read(record.raw_answer, width, height).points
    except RoboReferError as error:
        if error.code is not ErrorCode.UNPARSABLE_ANSWER:
            raise
        return None


def lies_in(point: Point, truth: Truth, item: Item) -> bool:
    """Tell whether a point in [0, 1] is right; edges of boxes belong to them."""
    if isinstance(truth, MaskTruth):
        return is_hit(point, truth.load())
    if isinstance(truth, BoxTruth):
        width, height = truth.size_px or _size(item)
        left, top, right, bottom = truth.box_px
        return left <= point[0] * width <= right and top <= point[1] * height <= bottom
    if isinstance(truth, PolygonTruth):
        return _in_polygon(point, truth.corners)
    raise TypeError(f"{type(truth).__name__} is not answered by a point")


def _in_polygon(point: Point, corners: tuple[Point, ...]) -> bool:
    """Tell whether a ray to the right crosses the outline an odd number of times."""
    x, y = point
    inside = False
    for (x0, y0), (x1, y1) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (x1 - x0) * (y - y0) / (y1 - y0):
            inside = not inside
    return inside


def _size(item: Item) -> tuple[int, int]:
    if isinstance(item.truth, MaskTruth):
        height, width = item.truth.load().shape
        return width, height
    if isinstance(item.truth, BoxTruth) and item.truth.size_px is not None:
        return item.truth.size_px
    frame = item.frame()
    return frame.width, frame.height
