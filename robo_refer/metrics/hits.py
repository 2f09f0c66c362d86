"""The one definition of a hit, and of a right answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry.camera import norm_to_px
from robo_refer.geometry.lift import nearest_pixel
from robo_refer.types import Answer

if TYPE_CHECKING:
    from robo_refer.data.sample import Question, Rle


class PixelMask(Protocol):
    """What has a (height, width) `shape` and is read as `mask[v, u]`: an array, for example."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def __getitem__(self, pixel: tuple[int, int], /) -> Any: ...


def is_hit(uv_norm: Sequence[float], mask: Rle | PixelMask) -> bool:
    """Tell whether a point in [0, 1] lies on a mask.

    The pixel is the one that contains the point; 1.0 belongs to the last one. A point beside the
    image, or NaN, is a miss.

    Args:
        uv_norm: (x, y), x right and y down.
        mask: an array, or what is read like one, whose non-zero pixels count; or a COCO encoding
            (which needs the extra `scenes` or `data`).
    """
    height, width = mask["size"] if isinstance(mask, dict) else mask.shape
    u, v = norm_to_px(uv_norm, width, height).tolist()
    pixel = nearest_pixel(u, v, width, height)
    if pixel is None:
        return False
    if isinstance(mask, dict):
        # Imported here: arrays need no pycocotools.
        from robo_refer.data.masks import point_in_mask

        return point_in_mask(mask, *pixel)
    return bool(mask[pixel[1], pixel[0]])


def score_answer(answer: Answer | None, question: Question) -> bool:
    """Tell whether an answer to a question is right.

    The first final point decides; points of the reasoning steps are not answers. Where the
    referent is absent, exactly the empty answer is right. An answer that could not be parsed is
    None, and wrong: it stays in the denominator.

    Raises:
        RoboReferError: BAD_SAMPLE for a question that has a point but no mask.
    """
    if question.mask is None and question.answer.points:
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"The question {question.text!r} has no mask, so nothing can be scored with it.",
            "Score questions of the families in robo_refer.data.sample.POINTING.",
        )
    if answer is None:
        return False
    if question.mask is None or not answer.points:
        return question.mask is None and not answer.points
    return is_hit(answer.points[0], question.mask)
