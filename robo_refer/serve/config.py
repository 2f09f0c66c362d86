"""What a server is: one dataclass, which is also its command line."""

from __future__ import annotations

from dataclasses import dataclass

from robo_refer.errors import ErrorCode, RoboReferError


@dataclass(frozen=True)
class ServeConfig:
    """Serve a model over HTTP: RoboRefer's protocol, OpenAI's, and our own with 3D points."""

    model: str = "nano"
    """"nano", the folder of a checkpoint, or the address of another server (http://...)."""

    host: str = "127.0.0.1"
    """Address to listen on. Only this machine reaches the default; give 0.0.0.0 for all others."""

    port: int = 8000
    """Port to listen on; 0 takes a free one and prints it."""

    api_key_env: str = ""
    """Name of the environment variable with the key that callers must send as a bearer token."""

    max_batch: int = 16
    """Requests that are answered together, at most."""

    batch_wait_ms: float = 2.0
    """How long the first request of a batch waits for others."""

    max_queue: int = 64
    """Requests that may wait; beyond these and a batch, the answer is 429 with Retry-After."""

    timeout_s: float = 30.0
    """Seconds until a waiting request is answered 504."""

    body_timeout_s: float = 20.0
    """Seconds in which a request must have arrived whole."""

    max_body_mb: float = 64.0
    """Size of a request at most, MiB."""

    drain_s: float = 20.0
    """Seconds that requests already taken have to finish after a signal to stop."""

    def __post_init__(self) -> None:
        positive = {
            "max_batch": self.max_batch,
            "max_queue": self.max_queue,
            "timeout_s": self.timeout_s,
            "body_timeout_s": self.body_timeout_s,
            "max_body_mb": self.max_body_mb,
        }
        or_zero = {"batch_wait_ms": self.batch_wait_ms, "drain_s": self.drain_s}
        wrong = [name for name, value in positive.items() if not value > 0]
        wrong += [name for name, value in or_zero.items() if not value >= 0]
        wrong += [] if 0 <= self.port < 2**16 else ["port"]
        if wrong:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"Impossible limits for a server: {', '.join(wrong)}.",
                "Sizes, counts and times are positive; ports lie between 0 and 65535.",
            )
