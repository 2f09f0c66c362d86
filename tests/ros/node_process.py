"""The node in a process of its own, as a robot runs it, and what drives it from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from robo_refer_ros.client import ReferClient
from service_calls import CALL_S, response_of

# Generous where a busy machine is slow, short where a test waits for nothing to come.
QUICK = {"image.max_age_s": 30.0, "image.wait_s": 3.0, "backend.timeout_s": 20.0}


class NodeProcess:
    """Starts the node, unconfigured.

    Args:
        log: file for what it says.
        arguments: further ROS arguments.
    """

    def __init__(self, log: Path, *arguments: str) -> None:
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "robo_refer_ros",
                    "--ros-args", "-p", "autostart:=false", *arguments,
                ],
                stdout=file,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        self.client = ReferClient()
        ros = self.client.node
        # In this order: who answers `_get` or `_set` has discovered `_change`, which is sent once.
        self._change = ros.create_client(ChangeState, "/refer/change_state")
        self._get = ros.create_client(GetState, "/refer/get_state")
        self._set = ros.create_client(SetParameters, "/refer/set_parameters")
        for client in (self._change, self._get, self._set):
            assert client.wait_for_service(CALL_S), self.said()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process lives."""
        return self._process.poll() is None

    def said(self) -> str:
        """Everything that the node has said."""
        return self.log.read_text(errors="replace")

    def state(self) -> int:
        """The lifecycle state."""
        return int(self.call(self._get, GetState.Request()).current_state.id)

    def change(self, transition: int) -> bool:
        """Change the state; tell whether it worked."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(response_of(self.client.side, self._change, request, once=True).success)

    def set(self, values: dict[str, Any]) -> list[str]:
        """Set parameters; return the reasons for which some were refused."""
        parameters = [
            Parameter(name, value=value).to_parameter_msg() for name, value in values.items()
        ]
        response = self.call(self._set, SetParameters.Request(parameters=parameters))
        return [each.reason for each in response.results if not each.successful]

    def start(self, backend_url: str = "", **values: Any) -> None:
        """Configure and activate it anew. In names of parameters, two underscores are a dot."""
        self.stop()
        backend = {"backend.type": "http" if backend_url else "local", "backend.url": backend_url}
        wanted = {name.replace("__", "."): value for name, value in values.items()}
        refused = self.set({**DEFAULTS, **QUICK, **backend, **wanted})
        assert not refused, refused
        assert self.change(Transition.TRANSITION_CONFIGURE), self.said()
        assert self.change(Transition.TRANSITION_ACTIVATE), self.said()
        self.client.wait_until_ready(CALL_S)

    def stop(self) -> None:
        """Bring it back to unconfigured, from wherever it is."""
        if self.state() == State.PRIMARY_STATE_ACTIVE:
            assert self.change(Transition.TRANSITION_DEACTIVATE), self.said()
        if self.state() == State.PRIMARY_STATE_INACTIVE:
            assert self.change(Transition.TRANSITION_CLEANUP), self.said()

    def call(self, client: Any, request: Any) -> Any:
        """Call a service that may be called twice, and return its response."""
        return response_of(self.client.side, client, request)

    def close(self) -> None:
        """Interrupt the process, as Ctrl-C does, and check that it ends by itself."""
        self.client.close()
        self._process.send_signal(signal.SIGINT)
        try:
            status = self._process.wait(CALL_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise
        assert status == 0, self.said()

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _defaults() -> dict[str, Any]:
    from robo_refer_ros.settings import parameters

    return {
        each.name: list(each.default) if isinstance(each.default, tuple) else each.default
        for each in parameters()
        if each.name != "autostart"
    } | {"target_frame": ""}


DEFAULTS = _defaults()
"""Every parameter's default, but points in the camera's frame: only tests of TF want another."""
