"""`Truth` from a dataset's question, and as JSON, in which it travels beside a prompt."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.data.masks import decode
from robo_refer.data.sample import POINTING, Question, Sample
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Step
from robo_refer_train.rewards.base import Box, Truth


def truth_of(sample: Sample, question: Question, frame_px: tuple[int, int] | None = None) -> Truth:
    """Return what is known about a question of a sample.

    Args:
        sample: whose image the question is about.
        question: one of its questions.
        frame_px: (width, height) of the frame in which pixel distances are stated; None states
            them in the image's own pixels. RoboRefer's images were 960x540.
    """
    pointing = question.family in POINTING or question.family == "point"
    return Truth(
        prompt=question.text,
        size_px=frame_px or sample.size,
        points=question.answer.points if pointing else None,
        mask=question.mask,
        steps=question.answer.steps,
        reply=question.reply,
        boxes=_boxes(sample, question) if pointing else (),
    )


def _boxes(sample: Sample, question: Question) -> tuple[Box, ...]:
    """Return the boxes around the visible pixels of the objects asked for."""
    by_id = {item.id: item for item in sample.objects}
    targets = [by_id[number] for number in question.target_ids if number in by_id]
    return tuple(box for item in targets if (box := _box_around(decode(item.mask))) is not None)


def _box_around(mask: NDArray[np.bool_]) -> Box | None:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    height, width = mask.shape
    left, right = float(columns[0]) / width, float(columns[-1] + 1) / width
    return left, float(rows[0]) / height, right, float(rows[-1] + 1) / height


def truth_to_json(truth: Truth) -> str:
    """Return the truth as one line of JSON."""
    return json.dumps(asdict(truth), separators=(",", ":"), ensure_ascii=False)


def truth_from_json(text: str) -> Truth:
    """Return the truth of `truth_to_json`, or of a line written by hand with some of its fields.

    Raises:
        RoboReferError: BAD_SAMPLE when it is not such JSON.
    """
    try:
        return _truth(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"A truth cannot be read: {' '.join(str(error).split())}.",
            "Write it with robo_refer_train.rewards.truth_to_json.",
        ) from error


def _truth(fields: dict[str, Any]) -> Truth:
    size, points, mask = (fields.pop(name, None) for name in ("size_px", "points", "mask"))
    steps, boxes = (fields.pop(name, ()) for name in ("steps", "boxes"))
    return Truth(
        size_px=None if size is None else (int(size[0]), int(size[1])),
        points=None if points is None else tuple((float(x), float(y)) for x, y in points),
        mask=mask,
        steps=tuple(
            Step(step["kind"], step["target"], tuple(map(float, step["value"]))) for step in steps
        ),
        boxes=tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in boxes),
        **fields,
    )
