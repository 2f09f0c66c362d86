"""The adapter of Unitree's G1: `ros2 run robo_refer_robots g1`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Any

import numpy as np
from robo_refer_ros.running import serve

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.robots.g1 import G1, RATE_HZ, arm_slice
from robo_refer.robots.path import Matrix
from robo_refer.robots.target import Target
from robo_refer.robots.unitree import LowCommand
from robo_refer_robots.adapter import Adapter, Plan
from robo_refer_robots.g1.link import G1Link
from robo_refer_robots.g1.settings import G1Settings
from robo_refer_robots.waiting import Stopped


class G1Adapter(Adapter):
    """Brings a hand to a target by a stream of commands, and gives the arm back."""

    def __init__(self, **options: Any) -> None:
        super().__init__("g1", G1Settings, **options)
        settings: G1Settings = self.settings
        self._planner: G1 | None = None
        self._link = G1Link(self, self.group)
        self._fsm_id = -1
        if settings.urdf:
            self._arm()  # what is wrong with the file is said at start

    def plan(self, target: Target, now_s: float) -> Plan:
        """See `Adapter.plan`."""
        planner, start_rad = self._arm(), self._link.joints_rad()
        path = planner.plan(target, start_rad, now_s, self.settings.guard())
        hand = planner.arm(start_rad).forward(path.positions_rad[-1])
        return Plan({"grasp": hand}, path)

    def check(self) -> None:
        """See `Adapter.check`."""
        self._fsm_id = self._link.fsm_id()

    def move(
        self,
        plan: Plan,
        stopped: Future[str],
        on_stage: Callable[[str], None],
        on_moving: Callable[[], None],
    ) -> None:
        """See `Adapter.move`."""
        arm, mode = self._arm(), self._link.mode_machine()
        last: LowCommand | None = None
        on_stage("reaching")
        try:
            start_rad = self._link.joints_rad()
            for command in _paced(arm.commands(plan.reach, start_rad, mode, self._fsm_id)):
                self._watch(stopped)
                self._link.send(command)
                last = command
                on_moving()
            self._check_arrival(plan.reach.positions_rad[-1])
        finally:  # whatever happened: who has taken the arm gives it back
            if last is not None:
                on_stage("retreating")
                for command in _paced(arm.release(last)):
                    self._link.send(command)

    def _watch(self, stopped: Future[str]) -> None:
        if stopped.done():
            raise Stopped(stopped.result())
        if self._link.is_silent:
            raise _failed("G1 fell silent while its arm moved.")

    def _check_arrival(self, wanted_rad: Matrix) -> None:
        error_rad = float(np.abs(self._arm_rad() - wanted_rad).max())
        if error_rad > self.settings.arrived_rad:
            raise _failed(f"A joint of the arm is {error_rad:.2f} rad from where it was sent.")

    def _arm_rad(self) -> Matrix:
        """Return where the seven joints of the arm are."""
        return self._link.joints_rad()[arm_slice(self.settings.side)]

    def _arm(self) -> G1:
        if self._planner is None:
            settings: G1Settings = self.settings
            with self.description.path() as urdf:
                self._planner = G1(urdf, settings.side, settings.stream_options())
        return self._planner


def _paced(commands: Iterable[LowCommand]) -> Iterable[LowCommand]:
    """Yield commands at `RATE_HZ`; when the machine is late, those that are due do not pile up."""
    due_s = time.monotonic()
    for command in commands:
        time.sleep(max(0.0, due_s - time.monotonic()))
        yield command
        due_s = max(due_s, time.monotonic() - 1.0 / RATE_HZ) + 1.0 / RATE_HZ


def _failed(message: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.MOTION_FAILED, message, "Look after the robot before you ask again."
    )


def main() -> None:
    """Run the adapter until it is interrupted; the arm is given back first."""
    serve(G1Adapter, lambda node: None, G1Adapter.end)


if __name__ == "__main__":
    main()
