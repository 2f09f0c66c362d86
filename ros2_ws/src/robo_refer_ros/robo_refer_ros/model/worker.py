"""The process that holds the model: reads questions from a pipe, writes answers to it.

It knows nothing of ROS. It ends when its pipe is closed: with the node, or by it.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Literal

from robo_refer.engines.base import Request
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.geometry import LiftOptions
from robo_refer.referrer import Referrer
from robo_refer.types import Referral
from robo_refer_ros.model.shared_frame import FrameReader, SharedRequest


@dataclass(frozen=True)
class ModelSpec:
    """Which model answers.

    Attributes:
        kind: "local", a model in the worker process; "http", a server that speaks the RoboRefer
            protocol (`POST /query`).
        model: "nano" or the folder of a checkpoint; for a server, its name in results.
        url: of the server.
        timeout_s: seconds for one answer.
        api_key_env: name of the environment variable with the server's key; "" sends none.
        reader: how a server's answers are read: one of `robo_refer.parsing.READERS`.
        depth: how depth is sent: "metric" to our servers, "relative" to the released one.
        suffix: what is written behind every instruction that a server is asked.
        lift: how pixels become 3D points.
    """

    kind: Literal["local", "http"] = "local"
    model: str = "nano"
    url: str = ""
    timeout_s: float = 30.0
    api_key_env: str = ""
    reader: str = "robo_refer"
    depth: Literal["metric", "relative"] = "metric"
    suffix: str = ""
    lift: LiftOptions = field(default_factory=LiftOptions)


Answered = Referral | RoboReferError


def serve(connection: Connection, spec: ModelSpec) -> None:
    """Load the model, say so, then answer one request after the other until the pipe closes.

    What is sent: first the model's name or a RoboReferError; then for every request a Referral
    or a RoboReferError, in their order.
    """
    # Ctrl-C reaches the whole group; the node decides when its model ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        referrer = load(spec)
    except RoboReferError as error:
        connection.send(error)
        return
    connection.send(referrer.engine.name)
    frames = FrameReader()
    while True:
        try:
            shared: SharedRequest = connection.recv()
            connection.send(answer(referrer, shared.request(frames)))
        except (EOFError, OSError):  # the node has gone, or given the memory back
            return


def load(spec: ModelSpec) -> Referrer:
    """Return what answers by this specification.

    Raises:
        RoboReferError: BAD_CHECKPOINT, BAD_REQUEST (address, reader), MISSING_DEPENDENCY.
    """
    if spec.kind == "local":
        return Referrer.from_pretrained(spec.model, spec.lift)
    from robo_refer.engines.http_call import HttpCaller, Retries
    from robo_refer.engines.http_engine import QueryEngine

    # A robot asks again itself: an answer about a picture of half a minute ago helps nobody.
    caller = HttpCaller(
        spec.url,
        timeout_s=spec.timeout_s,
        api_key_env=spec.api_key_env,
        retries=Retries(attempts=1),
    )
    engine = QueryEngine(
        caller, name=spec.model, reader=spec.reader, depth=spec.depth, suffix=spec.suffix
    )
    return Referrer(engine, spec.lift)


def answer(referrer: Referrer, request: Request) -> Answered:
    """Return the answer, or why there is none; a bug in a model does not end the worker."""
    try:
        return referrer.answer([request])[0]
    except RoboReferError as error:
        return error
    except Exception as error:  # any library below may fail: the goal fails, the node goes on
        return RoboReferError(
            ErrorCode.UNKNOWN,
            f"The model failed: {type(error).__name__}: {' '.join(str(error).split())}.",
            "This is a defect; please report it with the image and the instruction.",
        )
