"""Models as clients: our own checkpoints, RoboRefer servers, and OpenAI-compatible endpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from time import perf_counter
from typing import Any

import cv2

from robo_refer.engines.base import Engine, Generation, Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry.lift import lift_point
from robo_refer.parsing import Task, family
from robo_refer.types import Frame, Step
from robo_refer_bench.clients.base import Asked, LoadFrame, Reply, failed
from robo_refer_bench.records import OK
from robo_refer_bench.suites.base import ChoiceTruth, Item, PlaceTruth, Point

_DIGITS = 6


class EngineClient:
    """Any engine, asked as its family is, and shown what its family sees.

    Args:
        load: makes what writes the answers and reads them; called once, by the first question.
        family_name: one of `FAMILIES`.
        model, fingerprint, settings: see `Client`.
        workers: how many questions an engine takes at once; engines on this machine take one.
        by_picture: ask all items about a picture at once, whose encoding they then share.
        sees_depth: whether the engine looks at depth.
        reason: ask for written reasoning.
        close: gives up what is in flight.
    """

    def __init__(
        self,
        load: Callable[[], Engine],
        family_name: str,
        *,
        model: str,
        fingerprint: str,
        settings: Mapping[str, Any] | None = None,
        workers: int = 1,
        by_picture: bool = True,
        sees_depth: bool = True,
        reason: bool = False,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.model, self.fingerprint = model, fingerprint
        self.settings: Mapping[str, Any] = settings or {}
        self.family = family_name
        self.workers, self.by_picture, self.sees_depth = workers, by_picture, sees_depth
        self._load, self._family, self._reason = cache(load), family(family_name), reason
        self.close = close

    def ask(self, items: Sequence[Asked], load_frame: LoadFrame) -> list[Reply]:
        """Return the replies to items about one picture; see `Client.ask`."""
        frame = load_frame()
        shown = _resized(frame, self._family.shown_size(frame.width, frame.height))
        requests = [Request(shown, self._prompt(asked.item), self._reason) for asked in items]
        replies = self._generate(requests)
        return [
            self._read(asked.item, reply, frame, shown)
            for asked, reply in zip(items, replies, strict=True)
        ]

    def _prompt(self, item: Item) -> str:
        if isinstance(item.truth, ChoiceTruth):
            return item.instruction  # asks for a letter, whoever is asked
        return self._family.prompt(Task(item.prompt, item.target, item.suffix))

    def _generate(self, requests: Sequence[Request]) -> list[Reply]:
        """Ask all at once; where that is refused, one by one, so that only the bad one is lost."""
        engine = self._load()
        start = perf_counter()
        try:
            generations = engine.generate(requests)
        except RoboReferError as error:
            if error.code in (ErrorCode.BAD_CHECKPOINT, ErrorCode.MISSING_DEPENDENCY):
                raise
            if len(requests) > 1:
                return [self._generate([request])[0] for request in requests]
            seconds = perf_counter() - start
            return [failed(error, requests[0].instruction, seconds)]
        seconds = (perf_counter() - start) / len(requests)
        return [
            Reply(request.instruction, generation.text, seconds=seconds, extra=_scores(generation))
            for request, generation in zip(requests, generations, strict=True)
        ]

    def _read(self, item: Item, reply: Reply, frame: Frame, shown: Frame) -> Reply:
        """Return the reply with its points, as far as it was answered and asks for them."""
        reply = replace(reply, image_size=(frame.width, frame.height))
        if reply.status != OK or isinstance(item.truth, ChoiceTruth):
            return reply
        try:
            answer = self._load().read(reply.raw_answer, shown)
        except RoboReferError as error:
            return replace(reply, status=error.code.name.lower(), error=error.message)
        extra = dict(reply.extra)
        if answer.steps:
            extra["steps"] = [_step(step) for step in answer.steps]
        place_m = place_of(item, answer.points, frame)
        return replace(reply, points=rounded(answer.points), place_m=place_m, extra=extra)


def place_of(
    item: Item, points: Sequence[Point], frame: Frame
) -> tuple[float, float, float] | None:
    """Return where the first point lies in the world, metres, if the item asks for a place."""
    if not isinstance(item.truth, PlaceTruth) or not points:
        return None
    return lift_point(frame, points[0]).p_frame_m


def rounded(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return points with as many digits as a record keeps."""
    return tuple((round(float(x), _DIGITS), round(float(y), _DIGITS)) for x, y in points)


def _scores(generation: Generation) -> dict[str, object]:
    """Return the model's confidence in every number pair of its answer, steps first."""
    scores = [round(score, _DIGITS) for score in generation.point_scores]
    return {"pair_scores": scores} if scores else {}


def _step(step: Step) -> dict[str, object]:
    value = [round(float(number), _DIGITS) for number in step.value]
    return {"type": step.kind, "target": step.target, "value": value}


def _resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """Return the frame at `size` (width, height), without its camera, which was of the old size."""
    if size == (frame.width, frame.height):
        return frame
    shrinks = size[0] * size[1] < frame.width * frame.height
    rgb = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    depth_m = frame.depth_m
    if depth_m is not None:
        # Nearest pixel: blending a hole with a surface would invent a distance.
        depth_m = cv2.resize(depth_m, size, interpolation=cv2.INTER_NEAREST)
    return Frame(rgb, depth_m, stamp_s=frame.stamp_s)
