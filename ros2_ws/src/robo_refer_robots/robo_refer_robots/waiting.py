"""Waiting for a robot to answer, until it takes too long or nobody wants it any more."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from robo_refer.errors import RoboReferError


class Stopped(Exception):  # noqa: N818 - no error: somebody wanted it
    """A motion was stopped on purpose; the text says by whom."""


def wait_for_answer(
    answer: Any, stopped: Future[str], timeout_s: float, silence: RoboReferError
) -> Any:
    """Return the result of a future of rclpy.

    Args:
        answer: the future; another thread spins the node.
        stopped: done, with who did it, when nobody waits any more.
        timeout_s: seconds of the wall clock.
        silence: raised when it takes longer.

    Raises:
        Stopped: before there was an answer.
        RoboReferError: `silence`.
    """
    changed = threading.Event()
    answer.add_done_callback(lambda _: changed.set())
    stopped.add_done_callback(lambda _: changed.set())
    changed.wait(timeout_s)
    if answer.done():
        return answer.result()
    if stopped.done():
        raise Stopped(stopped.result())
    raise silence


def accepted_goal(sent: Any, timeout_s: float, silence: RoboReferError) -> Any:
    """Return the handle of a goal that was sent; one that is only accepted later is cancelled.

    Raises:
        RoboReferError: `silence`.
    """
    try:
        return wait_for_answer(sent, Future(), timeout_s, silence)
    except BaseException:
        sent.add_done_callback(_cancel_late)
        raise


def _cancel_late(sent: Any) -> None:
    handle = sent.result()
    if handle is not None and handle.accepted:
        handle.cancel_goal_async()
