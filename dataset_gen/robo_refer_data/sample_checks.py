"""What must be true of a generated sample: of its rows as stored, and when it is made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.data import Question, Sample, masks
from robo_refer.data.checks import check_sample
from robo_refer.data.records import to_row
from robo_refer.data.sample import FAMILIES, FREE, SPOKEN
from robo_refer.errors import RoboReferError
from robo_refer.metrics import is_hit
from robo_refer.parsing import format_answer, parse
from robo_refer.types import Answer

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        sample: id of the sample; a file or folder where it is not about one sample.
        question: the question's text, "" where it is not about one question.
        sentence: what is wrong.
    """

    sample: str
    question: str
    sentence: str

    def as_dict(self) -> dict[str, str]:
        """Return JSON-ready fields."""
        return asdict(self)


def stored_problems(sample: Sample) -> Iterator[Problem]:
    """Yield what a sample contradicts itself in, as it is stored."""
    try:
        check_sample(replace(sample, questions=()))
    except RoboReferError as error:
        yield Problem(sample.id, "", error.message)
    truths: dict[int, Mask] = {}
    for item in sample.objects:
        try:
            truths[item.id] = masks.decode(item.mask)
        except RoboReferError as error:
            yield Problem(sample.id, "", f"Object {item.id} ({item.name}): {error.message}")
            continue
        if not is_hit(item.point_norm, truths[item.id]):
            sentence = f"Object {item.id} ({item.name}): its point lies beside its mask."
            yield Problem(sample.id, "", sentence)
    ids = {item.id for item in sample.objects}
    width, height = sample.size
    for question in sample.questions:
        if question.mask is not None and tuple(question.mask["size"]) != (height, width):
            sentence = f"Its mask is {question.mask['size']}, the image {[height, width]}."
            yield Problem(sample.id, question.text, sentence)
            continue
        for sentence in _question_problems(question, ids, truths):
            yield Problem(sample.id, question.text, sentence)


def _question_problems(
    question: Question, ids: set[int], truths: Mapping[int, Mask]
) -> Iterator[str]:
    if not question.text.strip() or not question.kind or question.family not in FAMILIES:
        yield f"Its text or kind is empty, or its family {question.family!r} none of {FAMILIES}."
    if bool(question.reply) != (question.family in SPOKEN):
        yield f"Exactly what is answered in words has a reply; its reply is {question.reply!r}."
    try:
        # What a model is trained on: three decimals can move a point off a thin thing.
        written = parse(format_answer(question.answer))
    except RoboReferError as error:
        yield error.message
        return
    yield from _target_problems(question, written, ids, truths)
    yield from _step_problems(question, written, ids, truths)


def _target_problems(
    question: Question, written: Answer, ids: set[int], truths: Mapping[int, Mask]
) -> Iterator[str]:
    if not set(question.target_ids) <= ids:
        yield f"Its targets {question.target_ids} are not all objects of the scene."
    if question.family in ("absent", *SPOKEN):
        if question.answer.points or question.mask is not None:
            yield f"Its family is {question.family}, but it has a point or a mask."
        if question.family == "absent" and question.target_ids:
            yield f"It is absent, but its targets are {question.target_ids}."
        return
    if not question.answer.points or question.mask is None:
        yield f"Its family is {question.family}, but it has no point or no mask."
        return
    try:
        mask = masks.decode(question.mask)
    except RoboReferError as error:
        yield error.message
        return
    points = zip(question.answer.points, written.points, strict=True)
    for exact, rounded in points:
        yield from _point_problems("Its point", exact, rounded, mask, "its mask")
    if question.family not in FREE:
        yield from _object_problems(question.target_ids, mask, truths)
    else:
        if question.target_ids:
            yield f"It asks for free space, but its targets are {question.target_ids}."
        # On top of an object the free space is a part of it.
        own = question.step_ids if question.kind == "place_on" else ()
        covered = [i for i, truth in truths.items() if i not in own and _overlap(mask, truth)]
        if covered:
            yield f"It asks for free space, but its mask covers the objects {covered}."


def _object_problems(
    targets: tuple[int, ...], mask: Mask, truths: Mapping[int, Mask]
) -> Iterator[str]:
    if len(targets) != 1:
        yield f"It asks for one object, but its targets are {targets}."
    elif targets[0] in truths and not np.array_equal(mask, truths[targets[0]]):
        yield f"Its mask is not that of its target, object {targets[0]}."


def _step_problems(
    question: Question, written: Answer, ids: set[int], truths: Mapping[int, Mask]
) -> Iterator[str]:
    steps = question.answer.steps
    if len(question.step_ids) != len(steps):
        yield f"It has {len(steps)} steps, but {len(question.step_ids)} step ids."
        return
    rows = zip(question.step_ids, steps, written.steps, strict=True)
    for number, (id_, step, rounded) in enumerate(rows, 1):
        name = f"Step {number} ({step.target})"
        if id_ == 0:  # about free space, which has no mask of its own
            continue
        if id_ not in ids:
            yield f"{name} is about object {id_}, which the scene has not."
        elif step.kind == "position" and id_ in truths:
            where = f"the mask of object {id_}"
            yield from _point_problems(name, step.value, rounded.value, truths[id_], where)


def _point_problems(
    name: str, exact: tuple[float, ...], rounded: tuple[float, ...], mask: Mask, where: str
) -> Iterator[str]:
    place = ", ".join(f"{value:.3f}" for value in exact)
    if not is_hit(exact, mask):
        yield f"{name} ({place}) lies beside {where}."
    elif not is_hit(rounded, mask):
        yield f"{name} ({place}) lies beside {where} once it is written with three decimals."


def _overlap(first: Mask, second: Mask) -> bool:
    return first.shape == second.shape and bool((first & second).any())


def regenerated_problems(sample: Sample, again: Sample) -> Iterator[Problem]:
    """Yield where a stored sample differs from the same scene made again.

    Both are compared as they are stored: depth in whole millimetres, all else exactly.
    """
    stored, made = to_row(sample), to_row(again)
    differing = [name for name in stored if name != "questions" and stored[name] != made[name]]
    if differing:
        sentence = f"Made again from its seed, it has another {', '.join(differing)}."
        yield Problem(sample.id, "", sentence)
    yield from _changed_questions(sample.id, stored["questions"], made["questions"])


def _changed_questions(
    id_: str, stored: list[dict[str, Any]], made: list[dict[str, Any]]
) -> Iterator[Problem]:
    # The questions of a scene have different texts, so these identify them.
    asked = {question["text"]: question for question in made}
    texts = [question["text"] for question in stored]
    for question in stored:
        text = question["text"]
        if text not in asked:
            yield Problem(id_, text, "The scene, made again from its seed, does not ask it.")
            continue
        differing = [name for name in question if question[name] != asked[text][name]]
        if differing:
            sentence = f"Made again from its seed, it has another {', '.join(differing)}."
            yield Problem(id_, text, sentence)
    for text in asked:
        if text not in texts:
            sentence = "It is missing: the scene, made again from its seed, asks it."
            yield Problem(id_, text, sentence)
    if texts != list(asked) and sorted(set(texts)) == sorted(asked):
        yield Problem(id_, "", "Its questions are in another order, or one is there twice.")
