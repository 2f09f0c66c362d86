"""An adapter and the robot that it drives, each in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Any

from fake_camera import time_message, wait_for
from geometry_msgs.msg import Point
from rcl_interfaces.srv import SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from robo_refer_msgs.action import Reach
from robo_refer_msgs.msg import ReferTarget
from robo_refer_robots.client import ReachClient
from robo_refer_robots.waiting import wait_for_answer
from robo_refer_ros.side_node import SideNode
from service_calls import CALL_S, response_of
from std_msgs.msg import Header

from robo_refer.errors import ErrorCode, RoboReferError

HERE = Path(__file__).parent


def robot_file(name: str) -> Path:
    """Return the path of a description in the package example-robot-data."""
    inside = Path("cmeel.prefix/share/example-robot-data/robots") / name
    return next(path for folder in sys.path if (path := Path(folder) / inside).is_file())


class RobotProcess:
    """Starts a fake robot and its adapter.

    Args:
        folder: where the fake robot looks for what it shall do, and notes what it was told.
        fake: name of the fake robot's module.
        robot: name of the adapter.
        parameters: of the adapter.
    """

    def __init__(self, folder: Path, fake: str, robot: str, parameters: dict[str, Any]) -> None:
        self._folder = folder
        words = [f"-p{name}:={value}" for name, value in parameters.items()]
        words = [word for each in words for word in ("-p", each[2:])]
        self.log = folder / "log.txt"
        self.tell(mode="follow", program="true")
        path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
        with self.log.open("wb") as log:
            self._processes = [
                subprocess.Popen(
                    command, stdout=log, stderr=log,
                    env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
                )
                for command in (
                    [sys.executable, str(HERE / f"{fake}.py"), str(folder)],
                    [sys.executable, "-m", f"robo_refer_robots.{robot}.node", "--ros-args", *words],
                )
            ]  # fmt: skip
        self.client = ReachClient(f"/{robot}")
        self.side = SideNode("outside")
        self._set = self.side.node.create_client(SetParameters, f"/{robot}/set_parameters")
        assert self._set.wait_for_service(CALL_S), self.said()
        self._reach = ActionClient(self.side.node, Reach, f"/{robot}/reach")
        assert self._reach.wait_for_server(CALL_S), self.said()

    def tell(self, **files: str) -> None:
        """Tell the fake robot what to do, and forget what it was told before."""
        for name, text in files.items():
            new = self._folder / f"{name}.new"
            new.write_text(text)
            new.replace(self._folder / name)  # whoever reads it meanwhile reads all of it
        (self._folder / "events").write_text("")

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return what the fake robot has noted under a name."""
        lines = (self._folder / "events").read_text().splitlines()
        return [event for event in map(json.loads, lines) if event["event"] == name]

    def set(self, name: str, value: Any) -> None:
        """Set a parameter of the adapter."""
        wanted = [Parameter(name, value=value).to_parameter_msg()]
        response = response_of(self.side, self._set, SetParameters.Request(parameters=wanted))
        assert all(each.successful for each in response.results), response

    def result(self, wanted: ReferTarget) -> Reach.Result:
        """Return all that the adapter answers, also about a failure."""
        goal = Reach.Goal(target=wanted)
        handle = _answer(self.side.call(lambda: self._reach.send_goal_async(goal)))
        return _answer(self.side.call(handle.get_result_async)).result

    def wait_until_ready(self, wanted: ReferTarget) -> None:
        """Return when a plan is made: the robot and its adapter have found each other."""

        def plans() -> bool:
            wanted.header.stamp = time_message(time.time_ns())
            try:
                self.client.reach(wanted)
            except RoboReferError as error:
                if error.code is not ErrorCode.ROBOT_NOT_READY:
                    raise
                return False
            return True

        self.set("dry_run", True)
        wait_for(plans, CALL_S)
        self.set("dry_run", False)

    def said(self) -> str:
        """Everything that both have said."""
        return self.log.read_text(errors="replace")

    def end_adapter(self) -> int:
        """Interrupt the adapter, as Ctrl-C does; return its exit status."""
        self._processes[1].send_signal(signal.SIGINT)
        return self._processes[1].wait(CALL_S)

    def __enter__(self) -> RobotProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.client.close()
        self.side.close(self._reach)
        for process in self._processes:
            process.terminate()
        try:
            for process in self._processes:
                process.wait(CALL_S)
        finally:
            for process in self._processes:
                process.kill()


def _answer(asked: Any) -> Any:
    silence = RoboReferError(ErrorCode.UNKNOWN, "The adapter does not answer.", "")
    return wait_for_answer(asked, Future(), CALL_S, silence)


def target(
    x: float,
    y: float,
    z: float,
    *,
    frame: str = "base_link",
    depth: int = ReferTarget.DEPTH_OK,
    age_s: float = 0.0,
) -> ReferTarget:
    """Return a referred point that was seen some time ago."""
    stamp = time_message(time.time_ns() - round(age_s * 1e9))
    return ReferTarget(
        header=Header(frame_id=frame, stamp=stamp),
        position=Point(x=x, y=y, z=z),
        depth_status=depth,
    )
