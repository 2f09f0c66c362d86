"""Calls of services, of which no response is lost."""

from __future__ import annotations

import time
from typing import Any

from fake_camera import wait_for
from robo_refer_ros.side_node import SideNode

CALL_S = 180.0
_AGAIN_S = 5.0


def response_of(side: SideNode, client: Any, request: Any, *, once: bool = False) -> Any:
    """Send a request from the thread that receives, and return the response.

    A service that has not yet discovered a new client drops its response to it, so that a request
    is repeated, unless it must be sent `once`.

    Raises:
        TimeoutError: there is none after `CALL_S` seconds.
    """
    deadline = time.monotonic() + CALL_S
    while True:
        future = side.call(lambda: client.call_async(request))
        try:
            wait_for(future.done, CALL_S if once else _AGAIN_S)
        except TimeoutError:
            client.remove_pending_request(future)
            if once or time.monotonic() > deadline:
                raise
        else:
            return future.result()
