"""Where the server and the page listen."""

from __future__ import annotations

import socket

from robo_refer.errors import ErrorCode, RoboReferError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that only this machine reaches."""


def open_port(host: str, port: int) -> socket.socket:
    """Return a socket that listens on host and port; port 0 takes a free one.

    Raises:
        RoboReferError: BAD_REQUEST when the port is taken or not allowed, or the host is not an
            address of this machine.
    """
    try:
        # Without the port, of which it would only keep the lower 16 bits.
        family, _, _, _, address = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
        listening = socket.create_server((str(address[0]), port), family=family)
    except (OSError, OverflowError, UnicodeError) as error:
        why = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"Cannot listen on {host}, port {port}: {why}.",
            "Give a --port between 1024 and 65535 that is free, and a --host of this machine.",
        ) from error
    # Declared as TCP, for asyncio switches off Nagle's algorithm only where it knows that it is:
    # otherwise every answer waits 40 ms for the caller's acknowledgement.
    return socket.socket(family, listening.type, socket.IPPROTO_TCP, listening.detach())
