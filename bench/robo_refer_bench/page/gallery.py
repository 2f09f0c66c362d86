"""Cards of the page: a picture with the truth and the answers drawn on it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer_bench.page.view import letter, reason
from robo_refer_bench.recordings import Loaded
from robo_refer_bench.scored import Scored
from robo_refer_bench.suites.base import (
    AbsentTruth,
    BoxTruth,
    ChoiceTruth,
    Item,
    MaskTruth,
    PolygonTruth,
)

LONGEST_SIDE_PX = 420
JPEG_QUALITY = 78
MOST_POINTS = 20
_SHOWN_CHARACTERS = 600


@dataclass(frozen=True)
class Mark:
    """One answered point, in pixels of the card's picture; only the first one counts."""

    run: int
    x: float
    y: float
    first: bool


@dataclass(frozen=True)
class Verdict:
    """What one run answered."""

    run: int
    letter: str
    hit: bool
    reason: str
    answer: str


@dataclass(frozen=True)
class Card:
    """One item.

    Attributes:
        group: "suite/split".
        name: id of the item.
        prompt, truth: what was asked, and what is right in words where that is not drawn.
        facts: steps and tags.
        picture: data URL of a JPEG of (width, height) pixels.
        outline: SVG path of what is right, in those pixels; "" if it is not drawn.
        marks, verdicts: the answers.
    """

    group: str
    name: str
    prompt: str
    truth: str
    facts: tuple[str, ...]
    picture: str
    width: int
    height: int
    outline: str
    marks: tuple[Mark, ...]
    verdicts: tuple[Verdict, ...]


def cards(runs: Sequence[Loaded], most: int) -> Iterator[Card]:
    """Yield cards of at most `most` items that every kind of outcome has its share of."""
    by_key = [{s.asked.key: s for s in run.scored} for run in runs]
    keys = dict.fromkeys(key for run in by_key for key in run)
    for key in choose([(key, _outcome(key, by_key)) for key in keys], most):
        answers = [(number, run[key]) for number, run in enumerate(by_key) if key in run]
        yield _card(answers)


def choose(
    outcomes: Sequence[tuple[tuple[str, str, str], tuple[bool | None, ...]]], most: int
) -> list[tuple[str, str, str]]:
    """Return the keys of at most `most` items, in order: every outcome in turn, spread evenly."""
    groups: dict[tuple[bool | None, ...], list[tuple[str, str, str]]] = {}
    for key, outcome in outcomes:
        groups.setdefault(outcome, []).append(key)
    quota = dict.fromkeys(groups, 0)
    left = min(most, len(outcomes))
    while left > 0:
        for outcome, keys in groups.items():
            if left > 0 and quota[outcome] < len(keys):
                quota[outcome] += 1
                left -= 1
    chosen = {
        keys[int(place)]
        for outcome, keys in groups.items()
        for place in np.linspace(0, len(keys) - 1, quota[outcome])
    }
    return [key for key, _ in outcomes if key in chosen]


def _outcome(
    key: tuple[str, str, str], runs: Sequence[dict[tuple[str, str, str], Scored]]
) -> tuple[bool | None, ...]:
    return tuple(run[key].hit if key in run else None for run in runs)


def _card(answers: Sequence[tuple[int, Scored]]) -> Card:
    asked = answers[0][1].asked
    item = asked.item
    frame = item.frame()
    scale = min(1.0, LONGEST_SIDE_PX / max(frame.width, frame.height))
    width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
    small = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA)
    facts = [f"{item.steps} steps"] if item.steps else []
    # Lists of numbers are for machines.
    facts += [f"{name} {v}" for name, v in item.tags.items() if v and not v.startswith("[")]
    return Card(
        group=f"{asked.suite}/{asked.split}",
        name=item.id,
        prompt=item.prompt,
        truth=_truth_words(item),
        facts=tuple(facts),
        picture=_jpeg(small),
        width=width,
        height=height,
        outline=_outline(item, (width, height), (frame.width, frame.height)),
        marks=tuple(mark for run, s in answers for mark in _marks(run, s, (width, height))),
        verdicts=tuple(_verdict(run, scored) for run, scored in answers),
    )


def _verdict(run: int, scored: Scored) -> Verdict:
    text = "" if scored.record is None else scored.record.raw_answer
    if len(text) > _SHOWN_CHARACTERS:
        text = f"{text[:_SHOWN_CHARACTERS]} ... ({len(text)} characters)"
    if scored.record is not None and scored.record.error:
        text = f"{text} [{scored.record.error}]".strip()
    return Verdict(run, letter(run), scored.hit, "" if scored.hit else reason(scored), text)


def _marks(run: int, scored: Scored, size: tuple[int, int]) -> Iterator[Mark]:
    points = scored.record.points if scored.record is not None else None
    for number, (x, y) in enumerate((points or ())[:MOST_POINTS]):
        if 0 <= x <= 1 and 0 <= y <= 1:
            yield Mark(run, round(x * size[0], 1), round(y * size[1], 1), number == 0)


def _truth_words(item: Item) -> str:
    if isinstance(item.truth, ChoiceTruth):
        return item.truth.options[item.truth.correct]
    return "nothing: it is not there" if isinstance(item.truth, AbsentTruth) else ""


def _outline(item: Item, size: tuple[int, int], frame_size: tuple[int, int]) -> str:
    width, height = size
    truth = item.truth
    if isinstance(truth, BoxTruth):
        full_width, full_height = truth.size_px or frame_size
        left, top, right, bottom = truth.box_px
        x0, x1 = (round(x * width / full_width, 1) for x in (left, right))
        y0, y1 = (round(y * height / full_height, 1) for y in (top, bottom))
        return f"M{x0} {y0}H{x1}V{y1}H{x0}Z"
    if isinstance(truth, PolygonTruth):
        corners = [f"{round(x * width, 1)} {round(y * height, 1)}" for x, y in truth.corners]
        return f"M{'L'.join(corners)}Z"
    if isinstance(truth, MaskTruth):
        return _mask_path(truth.load().array(), size)
    return ""


def _mask_path(mask: NDArray[np.bool_], size: tuple[int, int]) -> str:
    small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
    if not small.any():  # a mask of few pixels must not vanish
        kernel = np.ones((3, 3), np.uint8)
        small = cv2.resize(cv2.dilate(mask.astype(np.uint8), kernel, iterations=3), size)
    contours, _ = cv2.findContours(small, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    paths = []
    for contour in contours:
        corners = cv2.approxPolyDP(contour, 0.7, True)[:, 0, :]
        paths.append("M" + "L".join(f"{x + 0.5} {y + 0.5}" for x, y in corners.tolist()) + "Z")
    return "".join(paths)


def _jpeg(rgb: NDArray[np.uint8]) -> str:
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    return f"data:image/jpeg;base64,{base64.b64encode(bytes(data)).decode()}"
