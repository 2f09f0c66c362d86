"""Running the application: uvicorn, a limit for slow callers, and a clean end."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from robo_refer.ports import open_port
from robo_refer.serve.config import ServeConfig
from robo_refer.serve.guard import Guard

HEADER_TIMEOUT_S = 10.0


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 that hangs up on who has not finished a request's headers in time."""

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(HEADER_TIMEOUT_S, self._hang_up)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._patience.cancel()
        self._patience = self.loop.call_later(HEADER_TIMEOUT_S, self._hang_up)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._patience.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        waits = self.cycle is None or self.cycle.response_complete
        if waits and not self.transport.is_closing():
            self.transport.close()


class Server(uvicorn.Server):
    """uvicorn that says where it listens."""

    def __init__(self, app: Guard, config: ServeConfig) -> None:
        self._shown = f"Serving '{config.model}'"
        super().__init__(
            uvicorn.Config(
                app,
                host=config.host,
                port=config.port,
                http=ImpatientProtocol,
                ws="none",
                log_level="warning",
                timeout_graceful_shutdown=max(1, round(config.drain_s)),
                server_header=False,
            )
        )

    async def startup(self, sockets: list[Any] | None = None) -> None:
        """Bind, then print the address, which is not known before when the port was 0."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            print(
                f"{self._shown} on http://{shown}:{port}  (docs: /docs, stop: Ctrl-C)", flush=True
            )


def run(app: Guard, config: ServeConfig) -> None:
    """Serve until a signal says to stop; requests that were taken are finished first.

    Raises:
        RoboReferError: BAD_REQUEST when the port cannot be listened on.
    """
    with open_port(config.host, config.port) as listening:
        asyncio.run(Server(app, config).serve(sockets=[listening]))
