"""The lifecycle node: parameters, topics, services and the action around one `Asker`.

Threads: callbacks run in a MultiThreadedExecutor. One that asks a question waits on a future, so
that images, cancellations and transitions go on meanwhile.
"""

from __future__ import annotations

import itertools
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.action import ActionServer, CancelResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import ClockChange, JumpThreshold
from rclpy.duration import Duration
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from robo_refer_msgs.action import Refer
from robo_refer_msgs.msg import ReferResult
from robo_refer_msgs.srv import LiftPoints, ReferOnce
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_ros import messages
from robo_refer_ros.asking import Asker, Outcome, Question
from robo_refer_ros.backend import Backend
from robo_refer_ros.camera_stream import CameraStream, Capture
from robo_refer_ros.diagnostics import Counts, Diagnostics, status
from robo_refer_ros.lifting import lift
from robo_refer_ros.outputs import Outputs
from robo_refer_ros.settings import Settings, parameters, settings_from
from robo_refer_ros.tf import open_transform_source

RCLError = rclpy_implementation.RCLError
RESULT_TIMEOUT_S = 10
"""How long the action server keeps a result for a client that has not fetched it yet."""
_THREADS = 8
_RELEASE_TIMEOUT_S = 5.0
_BY_CLIENT = "cancelled by the client"


class ReferNode(LifecycleNode):
    """Answers instructions about what a camera sees."""

    def __init__(self, **options: Any) -> None:
        super().__init__("refer", **options)
        self._described = {parameter.name: parameter for parameter in parameters()}
        for each in self._described.values():
            default = list(each.default) if isinstance(each.default, tuple) else each.default
            words = f"one of: {', '.join(each.choices)}" if each.choices else ""
            descriptor = ParameterDescriptor(description=each.doc, additional_constraints=words)
            self.declare_parameter(each.name, default, descriptor)
        self.add_on_set_parameters_callback(self._on_set_parameters)
        self.settings = Settings()
        self._parallel = ReentrantCallbackGroup()
        self._counts = Counts()
        self._request_numbers = itertools.count(1)
        self._asking = threading.Lock()
        self._current: Question | None = None
        self._goals: dict[str, Question] = {}
        self._asker: Asker | None = None
        self._stream: CameraStream | None = None
        self._guard_transitions()
        self._undo: list[Callable[[], None]] = []

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the parameters, start the model, open topics, services and the action."""
        return self._transition("configure", self._configure, undo=True)

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

    def _transition(
        self, name: str, work: Callable[[], None], *, undo: bool = False
    ) -> TransitionCallbackReturn:
        try:
            work()
        except RoboReferError as error:
            self.get_logger().error(f"Cannot {name}: {error}")
            if undo:
                self._cleanup()
            return TransitionCallbackReturn.FAILURE
        except Exception:  # rclpy would swallow it
            self.get_logger().error(f"Cannot {name}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return TransitionCallbackReturn.SUCCESS

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

    def _configure(self) -> None:
        names = list(self._described)
        values = {name: self.get_parameter(name).value for name in names}
        self.settings = settings_from(values)
        self._backend = Backend(self.settings.model_spec(), self.get_logger().warning)
        model = self._backend.start()
        self._undo.append(self._backend.close)
        self._transforms = open_transform_source(self, self.settings.tf.cache_s)
        self._undo.append(self._transforms.close)
        self._outputs = Outputs(self, self.settings)
        self._undo.append(self._outputs.close)
        self._open_services()
        self._watch_clock()
        self._diagnostics = Diagnostics(self)
        timer = self.create_timer(1.0, self._on_second, callback_group=self._parallel)
        self._undo += [self._diagnostics.close, lambda: _done(self.destroy_timer(timer))]
        self.get_logger().info(
            f"Model {model} ({self.settings.backend.type}), transforms by {self._transforms.name}."
        )

    def _open_services(self) -> None:
        group = self._parallel
        server = ActionServer(
            self,
            Refer,
            "~/refer",
            self._on_goal,
            callback_group=group,
            cancel_callback=self._on_cancel,
            result_timeout=RESULT_TIMEOUT_S,
        )
        self._undo.append(server.destroy)
        for kind, name, callback in (
            (ReferOnce, "~/refer_once", self._on_refer_once),
            (LiftPoints, "~/lift_points", self._on_lift_points),
            (SetBool, "~/enable", self._on_enable),
            (Trigger, "~/reload", self._on_reload),
        ):
            service = self.create_service(kind, name, callback, callback_group=group)
            self._undo.append(lambda service=service: _done(self.destroy_service(service)))
        instructions = self.create_subscription(
            String, "instruction", self._on_instruction, 1, callback_group=group
        )
        self._undo.append(lambda: _done(self.destroy_subscription(instructions)))

    def _watch_clock(self) -> None:
        backwards = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
        )
        handle = self.get_clock().create_jump_callback(backwards, post_callback=self._on_jump)
        self._undo.append(handle.unregister)

    def _activate(self) -> None:
        self._stream = CameraStream(self, self.settings)
        self._asker = Asker(self._stream, self._backend, self._transforms, self.settings)

    def _deactivate(self) -> None:
        self._asker = None
        self._withdraw("the node was deactivated")
        stream, self._stream = self._stream, None
        # Whoever is still publishing an outcome finishes first.
        with self._released():
            if stream is not None:
                stream.close()

    def _cleanup(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _shutdown(self) -> None:
        self._deactivate()
        self._cleanup()

    # Questions

    def _on_goal(self, goal: Any) -> Refer.Result:
        request: Refer.Goal = goal.request
        question = Question(
            id=_id(goal),
            instruction=request.instruction,
            target_frame=request.target_frame,
            max_targets=request.max_targets,
            require_depth=request.require_depth,
            max_age_s=messages.seconds(request.max_image_age),
            capture=_goal_capture(request),
            on_stage=lambda stage: goal.publish_feedback(Refer.Feedback(stage=stage)),
        )
        self._goals[question.id] = question
        if goal.is_cancel_requested:  # before this callback had its turn
            question.withdraw(_BY_CLIENT)
        try:
            result = self._answer(question)
        finally:
            del self._goals[question.id]
        by_client = question.withdrawn.done() and question.withdrawn.result() == _BY_CLIENT
        if by_client and result.error_code == ErrorCode.CANCELLED:
            _await_cancel(goal)
            goal.canceled()
        elif result.error_code:
            goal.abort()
        else:
            goal.succeed()
        return Refer.Result(error_code=result.error_code, error_msg=result.error_msg, result=result)

    def _on_cancel(self, goal: Any) -> CancelResponse:
        question = self._goals.get(_id(goal))
        if question is not None:
            self._withdraw_question(question, _BY_CLIENT)
        return CancelResponse.ACCEPT

    def _on_refer_once(
        self, request: ReferOnce.Request, response: ReferOnce.Response
    ) -> ReferOnce.Response:
        question = Question(
            id=f"service-{next(self._request_numbers)}",
            instruction=request.instruction,
            target_frame=request.target_frame,
            max_targets=request.max_targets,
            require_depth=request.require_depth,
            max_age_s=messages.seconds(request.max_image_age),
        )
        response.result = self._answer(question)
        response.error_code = response.result.error_code
        response.error_msg = response.result.error_msg
        return response

    def _on_instruction(self, message: String) -> None:
        number = next(self._request_numbers)
        result = self._answer(Question(id=f"topic-{number}", instruction=message.data))
        if result.error_code:
            self.get_logger().warning(f"'{message.data}': {result.error_msg}")

    def _answer(self, question: Question) -> ReferResult:
        """Answer a question, publish what became of it, and return the same."""
        try:
            outcome = self._outcome(question)
        except Exception:  # a defect: it fails one question, not the node
            self.get_logger().error(traceback.format_exc())
            error = RoboReferError(
                ErrorCode.UNKNOWN, "The node failed.", "Its log says where; please report it."
            )
            outcome = Outcome(question, error)
        return messages.result(outcome)

    def _outcome(self, question: Question) -> Outcome:
        asker = self._asker
        if asker is None:
            return Outcome(question, _not_active())
        if not self._asking.acquire(blocking=False):
            if self.settings.busy_policy == "reject":
                return Outcome(question, _busy())
            self._withdraw("a newer instruction came")
            if not self._asking.acquire(timeout=_RELEASE_TIMEOUT_S):
                return Outcome(question, _busy())
        try:
            self._current = question
            outcome = asker.answer(question)
            self._outputs.publish(outcome, messages.result(outcome))
        finally:
            self._current = None
            self._asking.release()
        self._counts.add(outcome)
        return outcome

    def _withdraw(self, why: str) -> None:
        if self._current is not None:
            self._withdraw_question(self._current, why)

    def _withdraw_question(self, question: Question, why: str) -> None:
        question.withdraw(why)
        stream = self._stream
        if stream is not None:
            stream.wake()

    def _released(self) -> _Held:
        return _Held(self._asking, _RELEASE_TIMEOUT_S)

    # Services

    def _on_lift_points(
        self, request: LiftPoints.Request, response: LiftPoints.Response
    ) -> LiftPoints.Response:
        asker, stream = self._asker, self._stream
        try:
            if asker is None or stream is None:
                raise _not_active()
            return lift(request, response, asker, stream)
        except RoboReferError as error:
            response.error_code = int(error.code)
            response.error_msg = f"{error.message} {error.remedy}"
            return response

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
        self._withdraw("the model is loaded again")
        with self._released():
            self._backend.close()
            try:
                response.message = self._backend.start()
                response.success = True
            except RoboReferError as error:
                response.message = str(error)
        return response

    # Parameters, time, health

    @property
    def state(self) -> str:
        """The lifecycle state in a word."""
        return str(self._state_machine.current_state[1])

    def _on_set_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        ours = {each.name: each for each in changes if each.name in self._described}
        fixed = [name for name in ours if not self._described[name].live]
        if fixed and self.state != "unconfigured":
            reason = f"{', '.join(fixed)} can only be set while the node is unconfigured."
            return SetParametersResult(successful=False, reason=reason)
        values = {name: self.get_parameter(name).value for name in self._described}
        values.update({name: each.value for name, each in ours.items()})
        try:
            settings = settings_from(values)
        except RoboReferError as error:
            if self.state != "unconfigured":
                return SetParametersResult(successful=False, reason=str(error))
            return SetParametersResult(successful=True)  # several may be wrong until all are set
        self._take_over(settings)
        return SetParametersResult(successful=True)

    def _take_over(self, settings: Settings) -> None:
        self.settings = settings
        if self._asker is not None:
            self._asker.settings = settings
        if self._stream is not None:
            self._stream.update(settings)

    def _on_jump(self, jump: Any) -> None:
        """Forget what came before time jumped back, or became simulated."""
        if jump.clock_change == ClockChange.ROS_TIME_NO_CHANGE and jump.delta.nanoseconds >= 0:
            return
        self.get_logger().warning("Time has jumped: images and transforms are forgotten.")
        self._transforms.clear()
        if self._stream is not None:
            self._stream.clear()

    def _on_second(self) -> None:
        backend = f"{self.settings.backend.type} {self.settings.backend.model}"
        if self._backend.pid is not None:
            backend += f" (process {self._backend.pid})"
        health = status(self.get_name(), self.state, self._stream, self._counts, backend)
        self._diagnostics.publish(health)


class _Held:
    """Holds a lock for a `with` block; after a time-out it goes on without."""

    def __init__(self, lock: threading.Lock, timeout_s: float) -> None:
        self._lock, self._timeout_s = lock, timeout_s

    def __enter__(self) -> None:
        self._is_held = self._lock.acquire(timeout=self._timeout_s)

    def __exit__(self, *_: object) -> None:
        if self._is_held:
            self._lock.release()


def _id(goal: Any) -> str:
    return bytes(goal.goal_id.uuid).hex()


def _await_cancel(goal: Any) -> None:
    """Wait until rclpy has noted a cancellation: it does so after it has asked us."""
    deadline = time.monotonic() + _RELEASE_TIMEOUT_S
    while not goal.is_cancel_requested and time.monotonic() < deadline:
        time.sleep(0.001)


def _goal_capture(request: Refer.Goal) -> Capture | None:
    if not request.use_goal_image:
        return None
    depth = request.depth if request.depth.height else None
    return Capture(request.image, depth, request.camera_info)


def _not_active() -> RoboReferError:
    return RoboReferError(
        ErrorCode.NOT_ACTIVE, "The node is not active.", "Activate it: ros2 lifecycle set ..."
    )


def _busy() -> RoboReferError:
    return RoboReferError(
        ErrorCode.BUSY,
        "Another instruction is being answered.",
        "Wait for it, cancel it, or set busy_policy to preempt.",
    )


def _done(_: bool) -> None:
    """Make a function of one that returns something nobody wants."""


def run() -> None:
    """Run the node until SIGINT or SIGTERM; no callback that fails ends it."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = ReferNode()
    except InvalidParameterTypeException as error:
        rclpy.shutdown()
        sys.exit(f"refer: a parameter has the wrong type (3 is no 3.0): {error}")
    executor = MultiThreadedExecutor(_THREADS)
    executor.add_node(node)
    spinning = threading.Thread(target=_spin, args=(executor, node, stop), daemon=True)
    spinning.start()
    if node.get_parameter("autostart").value:
        start(node)
    stop.wait()
    node.trigger_shutdown()
    executor.shutdown(timeout_sec=_RELEASE_TIMEOUT_S)
    spinning.join(_RELEASE_TIMEOUT_S)
    node.destroy_node()
    rclpy.shutdown()


def start(node: ReferNode) -> None:
    """Configure and activate; a failure is logged and leaves the node for others to configure."""
    if node.trigger_configure() == TransitionCallbackReturn.SUCCESS:
        node.trigger_activate()


def _spin(executor: MultiThreadedExecutor, node: ReferNode, stop: threading.Event) -> None:
    while rclpy.ok() and not stop.is_set():
        try:
            executor.spin()
        except ExternalShutdownException:
            return
        except Exception:  # of a callback: the others go on
            node.get_logger().error(traceback.format_exc())
