"""The lifecycle node: builds its parts when it is configured, and takes them apart again.

Threads: callbacks run in a MultiThreadedExecutor. One that asks a question waits on a future, so
that cancellations and transitions go on meanwhile. Images come in a thread of their own.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.exceptions import InvalidHandle
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from robo_refer_msgs.msg import ReferResult
from robo_refer_msgs.srv import LiftPoints
from std_srvs.srv import SetBool, Trigger

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_ros import messages
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.camera.stream import CameraStream
from robo_refer_ros.clock import watch_clock
from robo_refer_ros.desk import Desk
from robo_refer_ros.diagnostics import Counts, Diagnostics, status
from robo_refer_ros.doors import Doors
from robo_refer_ros.lifting import lift
from robo_refer_ros.model.backend import Backend
from robo_refer_ros.outputs import Outputs
from robo_refer_ros.parameters import NodeParameters
from robo_refer_ros.settings import Settings
from robo_refer_ros.tracking import Follower
from robo_refer_ros.transforms.opening import open_transform_source

RCLError = rclpy_implementation.RCLError
_END_S = 60.0
_POLL_S = 0.05


class ReferNode(LifecycleNode):
    """Answers instructions about what a camera sees."""

    def __init__(self, **options: Any) -> None:
        super().__init__("refer", **options)
        self.settings = Settings()
        self._described = NodeParameters(self, self._is_configured, self._take_over)
        self._parallel = ReentrantCallbackGroup()
        self._counts = Counts()
        self._desk = Desk(self.settings)
        self._backend: Backend | None = None
        self._is_loading = False
        self._stream: CameraStream | None = None
        self._follower: Follower | None = None
        self._undo: list[Callable[[], Any]] = []
        self._guard_transitions()

    def start(self) -> None:
        """Configure and activate, unless the parameter autostart is false.

        A failure is logged, and leaves the node for others to configure.
        """
        if not self.get_parameter("autostart").value:
            return
        with suppress(RCLError):  # somebody else was faster, or ends the node
            if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
                self.trigger_activate()

    def end(self) -> None:
        """Shut down, from wherever the node is; a model that is being loaded is given up."""
        deadline = time.monotonic() + _END_S
        while self.state != "finalized" and time.monotonic() < deadline:
            if self._is_loading and self._backend is not None:
                self._backend.close()
            if self.state in ("unconfigured", "inactive", "active"):
                with suppress(RCLError):  # another transition has just begun
                    self.trigger_shutdown()
            time.sleep(_POLL_S)

    @property
    def state(self) -> str:
        """The lifecycle state in a word."""
        return str(self._state_machine.current_state[1])

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, start the model, open topics, services and the action."""
        return self._transition("configure", self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the camera; from now on questions are answered."""
        return self._transition("activate", self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Withdraw the question that is being answered, and leave the camera."""
        return self._transition("deactivate", self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the model and close everything."""
        return self._transition("clean up", self._cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate and clean up, from wherever the node is."""
        return self._transition("shut down", self._shutdown)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, so that the node can be configured again."""
        return self._transition("recover", self._shutdown)

    # Transitions

    def _transition(self, name: str, work: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            work()
        except RoboReferError as error:
            self.get_logger().error(f"Cannot {name}: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception:  # rclpy would swallow it
            self.get_logger().error(f"Cannot {name}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self._take_over(self._described.settings())
        settings = self.settings
        self._backend = Backend(settings.model_spec(), self.get_logger().warning)
        model = self._load(self._backend)
        # From here on only defects fail, and `on_error` undoes what was done.
        self._undo.append(self._backend.close)
        self._transforms = open_transform_source(self, settings.tf.cache_s)
        self._outputs = Outputs(self, settings)
        self._diagnostics = Diagnostics(self)
        doors = Doors(self, self._answer, self._parallel)
        self._undo += [
            self._transforms.close, self._outputs.close, self._diagnostics.close, doors.close,
        ]  # fmt: skip
        self._open_services()
        self._undo.append(watch_clock(self, self._forget))
        timer = self.create_timer(1.0, self._on_second, callback_group=self._parallel)
        self._undo.append(lambda: self.destroy_timer(timer))
        self.get_logger().info(
            f"Model {model} ({settings.backend.type}), transforms by {self._transforms.name}."
        )

    def _load(self, backend: Backend) -> str:
        """Start the model; return its name."""
        self._is_loading = True
        try:
            return backend.start()
        finally:
            self._is_loading = False

    def _open_services(self) -> None:
        for kind, name, callback in (
            (LiftPoints, "~/lift_points", self._on_lift_points),
            (SetBool, "~/enable", self._on_enable),
            (Trigger, "~/reload", self._on_reload),
        ):
            service = self.create_service(kind, name, callback, callback_group=self._parallel)
            self._undo.append(lambda service=service: self.destroy_service(service))

    def _activate(self) -> None:
        self._stream = CameraStream(self, self.settings)
        assert self._backend is not None
        asker = Asker(self._stream, self._backend, self._transforms, self.settings)
        self._desk.open(asker)
        self._follower = Follower(self, asker, self._answer)

    def _deactivate(self) -> None:
        self._desk.close("the node was deactivated")
        self._leave_camera()

    def _leave_camera(self) -> None:
        follower, self._follower = self._follower, None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        if follower is not None:
            follower.close()

    def _cleanup(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _shutdown(self) -> None:
        try:
            self._desk.close("the node ends")
        except RoboReferError as error:  # that question ends with its model
            self.get_logger().error(f"Ending all the same: {error}")
        self._leave_camera()
        self._cleanup()

    def _guard_transitions(self) -> None:
        """Answer a transition that is not possible with a failure; rclpy would raise, and end."""
        change = self._service_change_state.callback

        def guarded(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RCLError as error:
                self.get_logger().error(f"Not possible from '{self.state}': {error}")
                response.success = False
                return response

        self._service_change_state.callback = guarded

    # Questions

    def _answer(self, question: Question) -> ReferResult:
        """Answer a question, publish what became of it, and return the same."""
        try:
            with self._desk.answered(question) as outcome:
                result = messages.result(outcome)
                self._outputs.publish(outcome, result)
                follower = self._follower
                if follower is not None:
                    follower.follow(outcome)
        except Exception:  # a defect: it fails one question, not the node
            outcome = Outcome(question, self._defect())
            result = messages.result(outcome)
            with suppress(Exception):  # unless publishing is what fails
                self._outputs.publish(outcome, result)
        self._counts.add(outcome)
        return result

    def _on_lift_points(
        self, request: LiftPoints.Request, response: LiftPoints.Response
    ) -> LiftPoints.Response:
        try:
            return lift(request, response, self._desk.asker)
        except RoboReferError as error:
            failure = error
        except Exception:  # a defect: it fails one call, not the node
            failure = self._defect()
        response.error_code = int(failure.code)
        response.error_msg = f"{failure.message} {failure.remedy}"
        return response

    def _defect(self) -> RoboReferError:
        """Log the exception that is being handled; return what is said of it."""
        self.get_logger().error(traceback.format_exc())
        return RoboReferError(
            ErrorCode.UNKNOWN, "The node failed.", "Its log says where; please report it."
        )

    # Settings, time, health

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        trigger = self.trigger_activate if request.data else self.trigger_deactivate
        wanted = "active" if request.data else "inactive"
        with suppress(RCLError):  # another transition is under way: the state tells
            if self.state != wanted:
                trigger()
        response.message = self.state
        response.success = response.message == wanted
        return response

    def _on_reload(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Load the model again, for example after its file has changed."""
        backend = self._backend
        assert backend is not None
        try:
            with self._desk.paused("the model is loaded again"):
                backend.close()
                response.message = self._load(backend)
                response.success = True
        except RoboReferError as error:
            response.message = str(error)
        return response

    def _is_configured(self) -> bool:
        return self.state != "unconfigured"

    def _take_over(self, settings: Settings) -> None:
        self.settings = settings
        self._desk.update(settings)

    def _forget(self) -> None:
        """Forget images, transforms and what is followed."""
        self._transforms.clear()
        stream, follower = self._stream, self._follower
        if stream is not None:
            stream.clear()
        if follower is not None:
            follower.forget()

    def _on_second(self) -> None:
        backend = f"{self.settings.backend.type} {self.settings.backend.model}"
        pid = self._backend.pid if self._backend is not None else None
        if pid is not None:
            backend += f" (process {pid})"
        health = status(self.get_name(), self.state, self._stream, self._counts, backend)
        with suppress(InvalidHandle):  # the node is being cleaned up meanwhile
            self._diagnostics.publish(health)
