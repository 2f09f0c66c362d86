"""The node that both robots share: judges a Reach goal, plans, and lets the robot move."""

from __future__ import annotations

import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from robo_refer_msgs.action import Reach
from robo_refer_ros.clock import watch_clock
from robo_refer_ros.open_goals import OpenGoals, withdraw
from robo_refer_ros.parameters import NodeParameters
from robo_refer_ros.transforms.opening import open_transform_source

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.path import JointPath, Matrix
from robo_refer.robots.target import Target
from robo_refer_robots.description import Description
from robo_refer_robots.messages import pose, target_of, trajectory
from robo_refer_robots.settings import AdapterSettings
from robo_refer_robots.waiting import Stopped

RESULT_TIMEOUT_S = 10
_TF_CACHE_S = 30.0
_ENDS = "the adapter ends"
_END_S = 60.0


@dataclass(frozen=True)
class Plan:
    """What a robot is about to do.

    Attributes:
        poses: 4x4 poses of the tool in the base frame, by their name in `Reach`.
        reach: joint path to the target.
        retreat: and away from it, or None.
    """

    poses: dict[str, Matrix]
    reach: JointPath
    retreat: JointPath | None = None


class Adapter(Node, ABC):
    """Moves one robot, one reach at a time; plans only, as long as `dry_run` is set.

    Args:
        name: of the node.
        kind: dataclass of its parameters.
        options: of the node.

    Raises:
        RoboReferError: BAD_REQUEST for parameters that are not allowed.
    """

    def __init__(self, name: str, kind: type[AdapterSettings], **options: Any) -> None:
        super().__init__(name, **options)
        described = NodeParameters(self, lambda: True, self._take_over, kind)
        self.settings: Any = described.settings()
        self.group = ReentrantCallbackGroup()
        self.description = Description(self, self.settings.urdf, self.group)
        self._transforms = open_transform_source(self, _TF_CACHE_S)
        self._unwatch = watch_clock(self, self._transforms.clear)
        self._busy = threading.Lock()
        self._goals = OpenGoals()
        self._is_ending = False
        self._action = ActionServer(
            self,
            Reach,
            "~/reach",
            self._on_goal,
            callback_group=self.group,
            cancel_callback=self._on_cancel,
            result_timeout=RESULT_TIMEOUT_S,
        )
        mode = "plans only (dry_run)" if self.settings.dry_run else "MOVES the robot"
        self.get_logger().info(f"Ready; {mode}.")

    @abstractmethod
    def plan(self, target: Target, now_s: float) -> Plan:
        """Return how the target is reached from where the robot is.

        Raises:
            RoboReferError: for a target that it must not, or cannot, reach for; ROBOT_NOT_READY.
        """

    @abstractmethod
    def check(self) -> None:
        """Return when the robot can be moved.

        Raises:
            RoboReferError: ROBOT_NOT_READY.
        """

    @abstractmethod
    def move(
        self,
        plan: Plan,
        stopped: Future[str],
        on_stage: Callable[[str], None],
        on_moving: Callable[[], None],
    ) -> None:
        """Move, and return when the robot rests.

        Args:
            plan: where.
            stopped: done when the motion shall end at once.
            on_stage: called with the name of each stage.
            on_moving: called, once or more, when the robot has taken what makes it move, or may
                have; never when it refused all of it.

        Raises:
            RoboReferError: MOTION_REJECTED, MOTION_FAILED, MOTION_TIMEOUT, ROBOT_NOT_READY.
            Stopped: when it was, and the robot has been brought to rest.
        """

    def end(self) -> None:
        """Stop what moves, and wait until it has been brought to rest."""
        self._is_ending = True
        self._goals.withdraw_all(_ENDS)
        if self._busy.acquire(timeout=_END_S):
            self._busy.release()
        self._unwatch()

    def _on_cancel(self, goal: Any) -> CancelResponse:
        self._goals.cancel(goal)
        return CancelResponse.ACCEPT

    def _on_goal(self, goal: Any) -> Reach.Result:
        result = Reach.Result()
        is_free = self._busy.acquire(blocking=False)
        try:
            if is_free:
                self._fill_in(goal, result)
            else:
                _fill(result, RoboReferError(
                    ErrorCode.BUSY, "The robot is reaching already.", "Wait for it, or cancel it."
                ))  # fmt: skip
            self._goals.finish(goal, result.error_code)
        finally:
            self._goals.forget(goal)
            if is_free:
                self._busy.release()
        return result

    def _fill_in(self, goal: Any, result: Reach.Result) -> None:
        """Reach, and write into the result what became of it."""
        try:
            self._reach(goal, result)
        except Stopped as stop:
            _fill(result, RoboReferError(
                ErrorCode.CANCELLED, f"The motion was stopped: {stop}.", "Ask again if need be."
            ))  # fmt: skip
        except RoboReferError as error:
            self.get_logger().warning(str(error))
            _fill(result, error)
        except Exception:  # a defect: it fails one goal, not the adapter
            self.get_logger().error(traceback.format_exc())
            _fill(result, RoboReferError(
                ErrorCode.UNKNOWN, "The adapter failed.", "Its log says where; please report it."
            ))  # fmt: skip

    def _reach(self, goal: Any, result: Reach.Result) -> None:
        stopped = self._goals.withdrawn(goal)
        if self._is_ending:  # and has withdrawn all others already
            withdraw(stopped, _ENDS)
        plan = self._planned(goal, result)
        if self.settings.dry_run:
            return
        _tell(goal, "checking")
        self.check()
        if stopped.done():
            raise Stopped(stopped.result())

        def note_motion() -> None:
            result.moved = True

        self.move(plan, stopped, lambda stage: _tell(goal, stage), note_motion)

    def _planned(self, goal: Any, result: Reach.Result) -> Plan:
        """Return the plan, and write it into the result."""
        _tell(goal, "planning")
        base = self.settings.base_frame
        target = target_of(goal.request.target, base, self._transforms)
        plan = self.plan(target, self.get_clock().now().nanoseconds / 1e9)
        for name, T_base_tool in plan.poses.items():
            setattr(result, name, pose(T_base_tool, base))
        result.reach_path = trajectory(plan.reach)
        if plan.retreat is not None:
            result.retreat_path = trajectory(plan.retreat)
        return plan

    def _take_over(self, settings: Any) -> None:
        if settings.dry_run != self.settings.dry_run:
            state = "on: only plans" if settings.dry_run else "off: the robot moves"
            self.get_logger().warning(f"dry_run is {state}.")
        self.settings = settings


def _tell(goal: Any, stage: str) -> None:
    goal.publish_feedback(Reach.Feedback(stage=stage))


def _fill(result: Reach.Result, error: RoboReferError) -> None:
    result.error_code = int(error.code)
    result.error_msg = f"{error.message} {error.remedy}"
