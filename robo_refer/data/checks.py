"""What a `Sample` must fulfil before it is written: a wrong truth trains and scores in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from robo_refer.data.sample import FAMILIES, FOREIGN, SPOKEN, ObjectTruth, Question, Rle, Sample
from robo_refer.errors import ErrorCode, RoboReferError


def check_sample(sample: Sample) -> None:
    """Raise BAD_SAMPLE with the first problem found."""
    problem = next(_problems(sample), None)
    if problem is not None:
        raise RoboReferError(
            ErrorCode.BAD_SAMPLE,
            f"Sample {sample.id!r}: {problem}.",
            "Correct it where the sample is made.",
        )


def _problems(sample: Sample) -> Iterator[str]:
    if not sample.id:
        yield "its id is empty"
    width, height = sample.size
    size = (height, width)
    if sample.rgb.dtype != np.uint8 or sample.rgb.shape != (*size, 3):
        yield f"rgb is {sample.rgb.shape} {sample.rgb.dtype}, its camera says {(*size, 3)} uint8"
    if sample.depth_m is not None and sample.depth_m.shape != size:
        yield f"depth is {sample.depth_m.shape}, its camera says {size}"
    relative = sample.relative_depth
    if relative is not None and (relative.dtype != np.uint8 or relative.shape != size):
        yield f"relative_depth is {relative.shape} {relative.dtype}, must be {size} uint8"
    if relative is not None and sample.depth_m is not None:
        yield "it has both depth_m and relative_depth"
    ids = [item.id for item in sample.objects]
    if len(set(ids)) != len(ids) or min(ids, default=1) < 1:
        yield f"object ids {ids} must be unique and start at 1"
    for item in sample.objects:
        for problem in _object_problems(item, size):
            yield f"object {item.id} ({item.name}): {problem}"
    for number, question in enumerate(sample.questions):
        for problem in _question_problems(question, size, set(ids)):
            yield f"question {number} ({question.text!r}): {problem}"


def _object_problems(item: ObjectTruth, size: tuple[int, int]) -> Iterator[str]:
    if not item.name:
        yield "its name is empty"
    if np.shape(item.size_m) != (3,) or not np.all(np.asarray(item.size_m) > 0):
        yield f"size_m {item.size_m} must be three positive lengths"
    pose = np.asarray(item.T_world_obj)
    if pose.shape != (4, 4) or not np.isfinite(pose).all():
        yield "T_world_obj must be a finite 4x4 matrix"
    if item.front_obj is not None and np.shape(item.front_obj) != (3,):
        yield "front_obj must have three numbers"
    if not (0 <= item.visible_fraction <= 1 and np.isfinite(item.depth_m)):
        yield f"visible_fraction {item.visible_fraction} or depth_m {item.depth_m} is impossible"
    if not _in_unit_square(item.point_norm):
        yield f"point_norm {item.point_norm} lies outside [0, 1]"
    yield from _mask_problems(item.mask, size)


def _question_problems(question: Question, size: tuple[int, int], ids: set[int]) -> Iterator[str]:
    if not question.text.strip() or not question.kind:
        yield "its text or kind is empty"
    if question.family not in (*FAMILIES, *FOREIGN):
        yield f"family {question.family!r} is none of {(*FAMILIES, *FOREIGN)}"
    spoken = question.family in (*SPOKEN, "words")
    pointless = spoken or question.family == "absent"
    if (not question.answer.points) != pointless:
        yield "exactly the absent and the spoken ones have no point"
    if (question.mask is None) != (pointless or question.family in FOREIGN):
        yield "exactly the absent, the spoken and those of other datasets have no mask"
    if bool(question.reply) != spoken:
        yield f"exactly the spoken ones have a reply, this one has {question.reply!r}"
    if not set(question.target_ids) <= ids:
        yield f"target_ids {question.target_ids} are not all objects of the scene"
    if question.step_ids and len(question.step_ids) != len(question.answer.steps):
        yield "step_ids and steps differ in number"
    if not set(question.step_ids) <= ids | {0}:
        yield f"step_ids {question.step_ids} are not all objects of the scene"
    if not all(_in_unit_square(point) for point in question.answer.points):
        yield f"points {question.answer.points} lie outside [0, 1]"
    if question.mask is not None:
        yield from _mask_problems(question.mask, size)


def _in_unit_square(point: tuple[float, float]) -> bool:
    return len(point) == 2 and all(0 <= value <= 1 for value in point)


def _mask_problems(mask: Rle, size: tuple[int, int]) -> Iterator[str]:
    if tuple(mask["size"]) != size or not isinstance(mask["counts"], str):
        yield f"its mask is {mask['size']}, the image {list(size)}, or its counts are not text"
