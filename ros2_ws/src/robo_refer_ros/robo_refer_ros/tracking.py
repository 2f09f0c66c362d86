"""Between two answers: the target of the last one is followed through every capture.

A thread of its own steps the tracker; callbacks do not wait for it. What cannot be followed any
more is said once, with the reason, and then dropped.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from geometry_msgs.msg import PointStamped
from rclpy.node import Node
from robo_refer_msgs.msg import Track

from robo_refer.errors import RoboReferError
from robo_refer.tracking import TargetTracker, Tracked
from robo_refer_ros import messages
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.camera.stream import Capture

OUT_OF_WORKSPACE = "out_of_workspace"
"""Why a target is lost, beside the reasons of `robo_refer.tracking`: it has left the workspace."""
_REPLAN_PAUSE_S = 1.0
_END_S = 10.0


class Follower:
    """Publishes where the target of the last answer is, once a capture.

    Args:
        node: that publishes.
        asker: knows the camera and where frames were.
        ask: answers a question, publishes it, and hands the outcome to `follow`.
    """

    def __init__(self, node: Node, asker: Asker, ask: Callable[[Question], object]) -> None:
        self._node, self._asker, self._ask = node, asker, ask
        self._point = node.create_publisher(PointStamped, "~/tracked_point", 10)
        self._track = node.create_publisher(Track, "~/track", 10)
        self._lock = threading.Lock()
        self._followed: tuple[Outcome, TargetTracker] | None = None
        self._replanning: threading.Thread | None = None
        self._next_replan_s = 0.0
        self._thread = threading.Thread(target=self._run, name="tracking", daemon=True)
        self._thread.start()

    def follow(self, outcome: Outcome) -> None:
        """Follow the best point of a success from now on; after a failure, go on as before."""
        settings = self._asker.settings
        of_the_camera = outcome.question.capture is None and outcome.frame is not None
        if not (settings.tracking.enable and of_the_camera) or outcome.error is not None:
            return
        assert outcome.referral is not None
        assert outcome.frame is not None
        point = outcome.referral.points[0]
        if point.depth_m is None:
            return
        tracker = TargetTracker(
            outcome.frame, point, settings.tracking.options(), settings.lift_options()
        )
        with self._lock:
            self._followed = outcome, tracker

    def close(self) -> None:
        """Take the topics back; the camera's stream has been closed, which ends the thread."""
        self._thread.join(_END_S)
        if self._replanning is not None:  # nobody starts another one any more
            self._replanning.join(_END_S)
        for publisher in (self._point, self._track):
            self._node.destroy_publisher(publisher)

    def forget(self) -> None:
        """Follow nothing until the next answer."""
        with self._lock:
            self._followed = None

    def _run(self) -> None:
        stamp_ns = 0
        while (capture := self._asker.stream.wait_other_than(stamp_ns)) is not None:
            stamp_ns = capture.stamp_ns
            try:
                self._step(capture)
            except RoboReferError as error:  # of this capture; the next may be better
                self._node.get_logger().warning(f"Not tracked: {error}")
            except Exception:  # a defect: answers go on
                self._node.get_logger().error(traceback.format_exc())
                self.forget()

    def _step(self, capture: Capture) -> None:
        with self._lock:
            followed = self._followed
        if followed is None or capture.stamp_ns <= _stamp_ns(followed[0]):
            return
        outcome, tracker = followed
        if not self._asker.settings.tracking.enable:
            self.forget()
            return
        tracked = tracker.step(capture.frame(self._asker.settings))
        if self._publish(outcome, capture, tracked):
            self._drop(followed)
        elif tracked.replan:
            self._replan(followed)

    def _publish(self, outcome: Outcome, capture: Capture, tracked: Tracked) -> str:
        """Publish where the target is; return why it is not followed any more, or ""."""
        assert outcome.referral is not None
        # Without the position that an answered point may still have: it is another capture's.
        point = replace(tracked.point, frame=None, p_frame_m=None)
        referral = replace(outcome.referral, points=(point,))
        now = replace(outcome, capture=capture, referral=referral, T_target_cam=None)
        lost = tracked.lost or ""
        if not lost:
            placed = self._asker.placed(now)
            if self._asker.stray(placed) is None:
                now = placed
            else:  # nobody must move there: it is given no position
                lost = OUT_OF_WORKSPACE
        assert now.referral is not None
        (point,) = now.referral.points
        target = messages.target(now, point)
        if point.p_frame_m is not None:
            self._point.publish(PointStamped(header=target.header, point=target.position))
        self._track.publish(
            Track(
                request_id=outcome.question.id,
                target=target,
                age=messages.duration(tracked.age_s),
                replan=tracked.replan,
                lost=lost,
            )
        )
        return lost

    def _replan(self, followed: tuple[Outcome, TargetTracker]) -> None:
        """Ask again, beside the tracking; one at a time, and not at once after a failure."""
        busy = self._replanning is not None and self._replanning.is_alive()
        if busy or time.monotonic() < self._next_replan_s or self._followed is not followed:
            return
        question = followed[0].question
        self._next_replan_s = time.monotonic() + _REPLAN_PAUSE_S
        again = replace(
            question,
            id=f"{question.id.removesuffix('-replan')}-replan",
            capture=None,
            on_stage=lambda stage: None,
            gives_way=True,
            withdrawn=Future(),
            asked_s=time.monotonic(),
        )
        self._replanning = threading.Thread(
            target=self._ask, args=(again,), name="replan", daemon=True
        )
        self._replanning.start()

    def _drop(self, followed: tuple[Outcome, TargetTracker]) -> None:
        """Follow it no longer, unless a newer answer has taken its place already."""
        with self._lock:
            if self._followed is followed:
                self._followed = None


def _stamp_ns(outcome: Outcome) -> int:
    assert outcome.capture is not None
    return outcome.capture.stamp_ns
