"""The adapter of UR5 and UR5e: `ros2 run robo_refer_robots ur5`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from robo_refer_ros.running import serve
from robo_refer_ros.side_node import SideNode

from robo_refer.robots.target import Target
from robo_refer.robots.ur5 import Ur5
from robo_refer_robots.adapter import Adapter, Plan
from robo_refer_robots.ur5.controller import TrajectoryController
from robo_refer_robots.ur5.readiness import Readiness
from robo_refer_robots.ur5.settings import Ur5Settings
from robo_refer_robots.waiting import Stopped


class Ur5Adapter(Adapter):
    """Brings the tool over a target, straight to it, and up again."""

    def __init__(self, **options: Any) -> None:
        super().__init__("ur5", Ur5Settings, **options)
        settings: Ur5Settings = self.settings
        self._planner: Ur5 | None = None
        if settings.urdf:
            self._arm()  # what is wrong with the file is said at start
        self._side = SideNode("ur5_client")
        self._readiness = Readiness(
            self, self._side, settings.controller, settings.program_topic, self.group
        )
        self._controller = TrajectoryController(self._side, settings.controller, settings.slack_s)

    def plan(self, target: Target, now_s: float) -> Plan:
        """See `Adapter.plan`."""
        settings: Ur5Settings = self.settings
        start_rad = self._readiness.joints_rad()
        path = self._arm().plan(
            target, start_rad, now_s, settings.grasp_options(), settings.guard()
        )
        poses = {
            "pregrasp": path.poses.T_base_pregrasp,
            "grasp": path.poses.T_base_grasp,
            "retreat": path.poses.T_base_retreat,
        }
        return Plan(poses, path.reach, path.retreat)

    def check(self) -> None:
        """See `Adapter.check`."""
        self._readiness.check()

    def move(
        self,
        plan: Plan,
        stopped: Future[str],
        on_stage: Callable[[str], None],
        on_moving: Callable[[], None],
    ) -> None:
        """See `Adapter.move`."""
        on_stage("reaching")
        self._controller.follow(plan.reach, stopped, on_moving)
        on_stage("holding")
        with suppress(TimeoutError):
            raise Stopped(stopped.result(self.settings.grasp.hold_s))
        if plan.retreat is not None:
            on_stage("retreating")
            self._controller.follow(plan.retreat, stopped, on_moving)

    def end(self) -> None:
        """See `Adapter.end`."""
        super().end()
        self._side.close()

    def _arm(self) -> Ur5:
        if self._planner is None:
            settings: Ur5Settings = self.settings
            with self.description.path() as urdf:
                self._planner = Ur5(urdf, settings.base_frame, settings.tool_frame, settings.speed)
        return self._planner


def main() -> None:
    """Run the adapter until it is interrupted; what moves is stopped first."""
    serve(Ur5Adapter, lambda node: None, Ur5Adapter.end)


if __name__ == "__main__":
    main()
