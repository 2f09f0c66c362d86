"""From an instruction to an answer in the robot's frame: wait, ask the model, transform, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import transform_points
from robo_refer.tokens import normalise_instruction
from robo_refer.types import Frame, Referral, ReferredPoint
from robo_refer_ros.camera.stream import CameraStream, Capture
from robo_refer_ros.model.backend import Backend, Cancelled
from robo_refer_ros.open_goals import withdraw
from robo_refer_ros.settings import Settings
from robo_refer_ros.transforms.source import TransformSource

Array = NDArray[np.float64]


@dataclass(eq=False)
class Question:
    """One instruction, and how it is to be answered.

    Attributes:
        id: names it in results.
        instruction: any text.
        target_frame: of the points; "" is the parameter's.
        max_targets: at most so many points; 0 is all.
        require_depth: fail with NO_DEPTH where the best point has no position.
        max_age_s: of the image; 0 is the parameter's.
        capture: to answer about; None is the newest.
        on_stage: called with the name of each stage.
        gives_way: the node asks it by itself: it never takes another's place, and any takes its.
        withdrawn: set, with who did it, when nobody wants the answer any more.
        asked_s: when, in seconds of `time.monotonic`.
    """

    id: str
    instruction: str
    target_frame: str = ""
    max_targets: int = 1
    require_depth: bool = True
    max_age_s: float = 0.0
    capture: Capture | None = None
    on_stage: Callable[[str], None] = lambda stage: None
    gives_way: bool = False
    withdrawn: Future[str] = field(default_factory=Future)
    asked_s: float = field(default_factory=time.monotonic)

    def withdraw(self, why: str) -> None:
        """Give it up; the first reason counts."""
        withdraw(self.withdrawn, why)


@dataclass(frozen=True)
class Outcome:
    """What became of a question, as far as it got.

    Attributes:
        error: why it failed, or None.
        capture: that was answered about.
        frame: the same, decoded.
        referral: what the model said; its points have `p_frame_m` where that was reached.
        T_target_cam: 4x4, from the camera to the frame of the points, at the capture's time.
        finished_s: when, in seconds of `time.monotonic`.
    """

    question: Question
    error: RoboReferError | None = None
    capture: Capture | None = None
    frame: Frame | None = None
    referral: Referral | None = None
    T_target_cam: Array | None = None
    finished_s: float = field(default_factory=time.monotonic)

    @property
    def model_s(self) -> float:
        """Seconds of the model alone."""
        seconds = {} if self.referral is None else self.referral.seconds
        return seconds.get("preprocess", 0.0) + seconds.get("model", 0.0)

    @property
    def overhead_s(self) -> float:
        """Seconds of all else, since both the image and the question were there."""
        if self.capture is None:
            return 0.0
        start_s = max(self.question.asked_s, self.capture.arrived_s)
        return max(0.0, self.finished_s - start_s - self.model_s)


class Asker:
    """Answers one question at a time.

    Args:
        stream: the camera.
        backend: the model.
        transforms: where frames were.
        settings: the parameters.
    """

    def __init__(
        self,
        stream: CameraStream,
        backend: Backend,
        transforms: TransformSource,
        settings: Settings,
    ) -> None:
        self.stream, self._backend, self._transforms = stream, backend, transforms
        self.settings = settings

    def answer(self, question: Question) -> Outcome:
        """Return what became of it; expected failures are in the outcome, not raised."""
        outcome = Outcome(question)
        try:
            normalise_instruction(question.instruction)
            capture = question.capture or self._wait(question)
            outcome = replace(outcome, capture=capture, frame=capture.frame(self.settings))
            question.on_stage("inferring")
            outcome = replace(outcome, referral=self._ask(question, outcome.frame))
            question.on_stage("transforming")
            outcome = self.placed(outcome)
            self._judge(outcome)
        except RoboReferError as error:
            outcome = replace(outcome, error=error)
        except Cancelled as withdrawn:
            outcome = replace(outcome, error=cancelled(str(withdrawn)))
        return replace(outcome, finished_s=time.monotonic())

    def update(self, settings: Settings) -> None:
        """Take over live parameters."""
        self.settings = settings
        self.stream.update(settings)

    def transform(
        self, capture: Capture, camera_frame: str, target_frame: str
    ) -> tuple[str, Array]:
        """Return the name of the target frame and `T_target_cam` at the capture's time.

        Raises:
            RoboReferError: TF_ERROR.
        """
        target = target_frame or self.settings.target_frame or camera_frame
        if target == camera_frame:
            return target, np.eye(4)
        found = self._transforms.lookup(
            target, camera_frame, capture.stamp_ns, self.settings.tf.timeout_s
        )
        return target, found

    def placed(self, outcome: Outcome) -> Outcome:
        """Return the outcome with its points in the frame of its question.

        Raises:
            RoboReferError: TF_ERROR.
        """
        referral, capture, camera_frame = _seen(outcome)
        if all(point.p_cam_m is None for point in referral.points):
            return outcome
        target, T_target_cam = self.transform(capture, camera_frame, outcome.question.target_frame)
        points = tuple(_placed(point, target, T_target_cam) for point in referral.points)
        referral = replace(referral, points=points)
        return replace(outcome, referral=referral, T_target_cam=T_target_cam)

    def stray(self, outcome: Outcome) -> str | None:
        """Return, in words, the first placed point that lies outside of the workspace, or None.

        The workspace is a box in the frame of the parameter target_frame, whatever frame the
        question names. A point without a position lies nowhere.

        Raises:
            RoboReferError: TF_ERROR.
        """
        settings = self.settings
        if settings.workspace.is_everywhere:
            return None
        referral, capture, camera_frame = _seen(outcome)
        frame, T_box_cam = settings.target_frame or camera_frame, None
        for number, point in enumerate(referral.points, start=1):
            if point.p_cam_m is None:
                continue
            p_m = point.p_frame_m
            if point.frame != frame:
                if T_box_cam is None:
                    T_box_cam = self.transform(capture, camera_frame, frame)[1]
                p_m = _placed(point, frame, T_box_cam).p_frame_m
            assert p_m is not None
            if not settings.workspace.holds(p_m):
                return f"Point {number}, {_metres(p_m)} in {frame}"
        return None

    def _wait(self, question: Question) -> Capture:
        question.on_stage("waiting_image")
        return self.stream.wait_fresh(
            question.max_age_s or self.settings.image.max_age_s,
            question.withdrawn,
            need_depth=question.require_depth,
        )

    def _ask(self, question: Question, frame: Frame | None) -> Referral:
        assert frame is not None
        request = Request(frame, question.instruction, self.settings.backend.reason)
        referral = self._backend.ask(request, question.withdrawn)
        count = question.max_targets or len(referral.points)
        return replace(referral, points=referral.points[:count])

    def _judge(self, outcome: Outcome) -> None:
        """Raise what the answer is short of."""
        referral = _seen(outcome)[0]
        if not referral.points:
            raise _without_points(referral)
        best = referral.points[0]
        if best.p_frame_m is None and outcome.question.require_depth:
            raise _without_depth(best)
        stray = self.stray(outcome)
        if stray is not None:
            raise RoboReferError(
                ErrorCode.OUT_OF_WORKSPACE,
                f"{stray}, lies outside of the workspace.",
                "Move it within reach, or correct workspace.min and workspace.max.",
            )


def _seen(outcome: Outcome) -> tuple[Referral, Capture, str]:
    """Return what was said about which capture, and the camera's frame."""
    assert outcome.referral is not None
    assert outcome.capture is not None
    assert outcome.frame is not None
    assert outcome.frame.camera is not None
    return outcome.referral, outcome.capture, outcome.frame.camera.frame


def _placed(point: ReferredPoint, frame: str, T_frame_cam: Array) -> ReferredPoint:
    if point.p_cam_m is None:
        return point
    x, y, z = transform_points(T_frame_cam, point.p_cam_m).tolist()
    return replace(point, frame=frame, p_frame_m=(x, y, z))


def _without_points(referral: Referral) -> RoboReferError:
    if referral.status == "no_target":
        return RoboReferError(
            ErrorCode.NO_TARGET,
            f"The model sees nothing that '{referral.instruction}' could mean.",
            "Say it in other words, or turn the camera.",
        )
    return RoboReferError(
        ErrorCode.UNPARSABLE_ANSWER,
        f"The model's answer cannot be read: '{' '.join(referral.raw_answer.split())[:200]}'.",
        "Check backend.reader, and that this model answers with points.",
    )


def _without_depth(point: ReferredPoint) -> RoboReferError:
    why = {
        "out_of_range": "lies outside of depth.min_m and depth.max_m",
        "ok": "has depth, but the lens model cannot be inverted there",
    }.get(point.depth_status, "has no depth around it")
    u, v = point.uv_px
    return RoboReferError(
        ErrorCode.NO_DEPTH,
        f"The pixel ({u:.0f}, {v:.0f}) {why}.",
        "Dark, shiny and transparent things give no depth: view it from elsewhere, "
        "or ask without require_depth.",
    )


def cancelled(why: str) -> RoboReferError:
    """Return the error of a question that was withdrawn: CANCELLED, with the reason."""
    return RoboReferError(
        ErrorCode.CANCELLED, f"The question was withdrawn: {why}.", "Ask again if need be."
    )


def _metres(p_m: tuple[float, float, float]) -> str:
    return "(" + ", ".join(f"{value:.3f}" for value in p_m) + ")"
