"""Shards on a Ray cluster: made anywhere, brought here as bytes, and written here.

The machines need no common disk, only this package in the same version. Ray tries a shard whose
worker or machine died again by itself.
"""

from __future__ import annotations

import socket
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from robo_refer.data import shard_path
from robo_refer.errors import ErrorCode, RoboReferError, missing_package
from robo_refer_data.atomic import write_atomically
from robo_refer_data.scale.job import Job, Progress, Shards, died, make_shard
from robo_refer_data.scale.workers import THREAD_VARIABLES

try:
    import ray
except ImportError as error:
    raise missing_package("ray", "ray") from error

_TRIES_AFTER_DEATH = 2
_PER_CPU = 2  # shards handed out per processor: one to work on, one to begin with at once
_CONNECT_S = 5.0
LOCAL = "local"


def make_on_ray(job: Job, shards: Shards, address: str, progress: Progress) -> None:
    """Make shards on the cluster at `address`.

    Args:
        job: what to make.
        shards: all of it.
        address: HOST:PORT, ray://HOST:PORT, "auto" for the one that this machine belongs to, or
            "local" for one that lives on this machine as long as the run.
        progress: is told.

    Raises:
        RoboReferError: BACKEND_UNREACHABLE when there is no cluster, BAD_REQUEST when another
            version of this package is installed on it.
        OSError: a shard could not be written; finished ones are kept.
    """
    with _connected(address):
        remote = ray.remote(num_cpus=1, max_retries=_TRIES_AFTER_DEATH)(shard_bytes)
        sent = ray.put(job)
        window = max(int(ray.cluster_resources().get("CPU", 1)), 1) * _PER_CPU
        waiting, running = deque(shards), dict[Any, int]()
        while waiting or running:
            while waiting and len(running) < window:
                shard = waiting.popleft()
                running[remote.remote(sent, shard, shards[shard], job.version)] = shard
            ready, _ = ray.wait(list(running), num_returns=1)
            for reference in ready:
                shard = running.pop(reference)
                made = _result(reference, shard)
                if isinstance(made, RoboReferError):
                    progress.failures[shard] = made
                    continue
                write_atomically(shard_path(job.out, shard), made)
                progress.finished += len(shards[shard])
                progress.report(progress.finished)


def shard_bytes(job: Job, shard: int, indices: range, version: int) -> bytes | RoboReferError:
    """Return the content of one shard, or why it could not be made. Runs on the cluster.

    Raises:
        RoboReferError: BAD_REQUEST where another version of the code would make other bytes.
    """
    import cv2

    from robo_refer_data.plan import GENERATOR_VERSION

    if version != GENERATOR_VERSION:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"A machine of the cluster has generator version {GENERATOR_VERSION}, not {version}.",
            "Install the same release of robo-refer on all of them.",
        )
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory(prefix="robo-refer-") as folder:
        failure = make_shard(replace(job, out=Path(folder)), shard, indices)
        return failure if failure else shard_path(folder, shard).read_bytes()


def _result(reference: Any, shard: int) -> bytes | RoboReferError:
    try:
        made: bytes | RoboReferError = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, RoboReferError | OSError):
            raise error.cause from error  # it would be raised again
        raise RoboReferError(
            ErrorCode.UNKNOWN,
            f"The machines of the cluster cannot make a shard: {_last_line(error.cause)}.",
            "Install the same release of robo-refer, with the extra data, on all of them.",
        ) from error
    except ray.exceptions.RayError:
        return died(shard)
    return made


def _last_line(error: BaseException | None) -> str:
    """Return what a traceback from another machine ends with."""
    return (str(error).strip().splitlines() or [""])[-1][:200]


@contextmanager
def _connected(address: str) -> Iterator[None]:
    _check_reachable(address)
    threads = {"env_vars": dict.fromkeys(THREAD_VARIABLES, "1")}
    try:
        ray.init(
            address=address,
            runtime_env=threads,
            log_to_driver=True,
            include_dashboard=False if address == LOCAL else None,
        )
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise _unreachable(address, error) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise at once what Ray would find out in minutes: that nobody listens at HOST:PORT."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), _CONNECT_S).close()
    except OSError as error:
        raise _unreachable(address, error) from error


def _unreachable(address: str, error: Exception) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BACKEND_UNREACHABLE,
        f"No Ray cluster answers at {address!r}: {' '.join(str(error).split())[:200]}.",
        "Start one with 'ray start --head' and give its HOST:PORT, or give --ray local.",
    )
