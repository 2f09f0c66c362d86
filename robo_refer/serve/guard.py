"""What stands before every request: its key, its size, how many there are, how long they take."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/", "/health"})
"""Read without a key, so that a load balancer can ask."""
RETRY_AFTER_S = 1


def error_body(error: RoboReferError) -> dict[str, Any]:
    """Return the JSON of a failure, which OpenAI's and RoboRefer's clients find theirs in."""
    fields = error.as_dict()
    return {
        "result": 0,
        **fields,
        "error": {"message": str(error), "type": fields["status"], "code": fields["code"]},
    }


class Guard:
    """Reads a request whole, within its limits, before the application sees it.

    Args:
        app: the application.
        key: bearer token that callers must send; "" asks for none.
        max_requests: in hand at once; what has no body does not count.
        max_bytes: of a body.
        timeout_s: in which a body must have arrived.
    """

    def __init__(
        self, app: App, key: str, *, max_requests: int, max_bytes: int, timeout_s: float
    ) -> None:
        self._app, self._key = app, key
        self._max_requests, self._in_hand = max_requests, 0
        self._max_bytes, self._timeout_s = max_bytes, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it with 401, 408, 413 or 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif not self._has_key(scope):
            await _refuse(send, 401, "The key is missing or wrong.", "Send it as a bearer token.")
        elif _only_reads(scope):
            await self._app(scope, receive, send)
        elif self._in_hand >= self._max_requests:
            # Before its body is read: what waits holds pictures, and memory is finite.
            await _refuse(
                send, 429, f"The server has {self._in_hand} waiting.", "Ask again in a moment."
            )
        else:
            self._in_hand += 1
            try:
                await self._pass_on(scope, receive, send)
            finally:
                self._in_hand -= 1

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await asyncio.wait_for(self._read(receive), self._timeout_s)
        except TimeoutError:
            await _refuse(
                send, 408, "The request did not arrive in time.", "Send it faster, or smaller."
            )
            return
        if body is None:
            limit = self._max_bytes / 2**20
            await _refuse(
                send, 413, f"The request is larger than {limit:g} MiB.", "Downscale the image."
            )
            return
        await self._app(scope, _replayed(body, receive), send)

    def _has_key(self, scope: Scope) -> bool:
        if not self._key or (_only_reads(scope) and scope["path"] in OPEN_PATHS):
            return True
        sent = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(sent, b"Bearer " + self._key.encode())

    async def _read(self, receive: Receive) -> bytes | None:
        """Return the body, or None when it is too large; a caller who leaves sends no more."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return bytes(body)
            body += message.get("body", b"")
            if len(body) > self._max_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)


def _only_reads(scope: Scope) -> bool:
    return scope["method"] in ("GET", "HEAD")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the whole body first, then what the connection says."""
    pending = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> MutableMapping[str, Any]:
        return pending.pop() if pending else await receive()

    return replay


async def _refuse(send: Send, status: int, message: str, remedy: str) -> None:
    code = ErrorCode.BUSY if status == 429 else ErrorCode.BAD_REQUEST
    body = error_body(RoboReferError(code, message, remedy))
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),
    ]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 429:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
