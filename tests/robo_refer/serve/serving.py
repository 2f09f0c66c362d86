"""A real server in a thread, in front of an engine that answers what a picture's colour says."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np

from robo_refer.engines.base import Generation, Request, Timings
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import parse
from robo_refer.referrer import Referrer
from robo_refer.serve.app import create_app
from robo_refer.serve.config import ServeConfig
from robo_refer.serve.listening import Server
from robo_refer.types import Answer, Frame

PATIENCE_S = 300.0
"""So long nothing takes, however busy the machine is."""


@dataclass
class ColourEngine:
    """Points at x = red / 256, so that an answer belongs to one picture; remembers its batches.

    It answers nothing while its gate is closed.
    """

    name: str = "colour"
    timings: Timings = field(default_factory=Timings)
    gate: Event = field(default_factory=Event)
    batches: list[int] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        self.batches.append(len(requests))
        self.seen += requests
        if any(request.instruction == "break" for request in requests):
            raise ZeroDivisionError("broken")
        if any(request.instruction == "hole" for request in requests):
            raise RoboReferError(ErrorCode.BAD_DEPTH, "There is a hole.", "Fill it.")
        self.gate.wait()
        return [self._answer(request) for request in requests]

    def _answer(self, request: Request) -> Generation:
        if request.instruction == "nothing":
            return Generation("<answer>[]</answer>", (), ())
        x = int(request.frame.rgb[0, 0, 0]) / 256
        text = f"<answer>[({x:.3f}, 0.500)]</answer>"
        return Generation(text, (), (0.5,))

    def read(self, text: str, frame: Frame) -> Answer:
        return parse(text)


@contextmanager
def serving(engine: Any, **options: Any) -> Iterator[str]:
    """Serve an engine on a free loopback port, with all the time there is; yield the address."""
    limits = {"timeout_s": PATIENCE_S, "body_timeout_s": PATIENCE_S, **options}
    config = ServeConfig(port=0, **limits)
    app = create_app(config, Referrer(engine))
    ready, stop = Event(), Event()
    address: list[str] = []

    async def run() -> None:
        server = Server(app, config)
        task = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        address.append(f"http://127.0.0.1:{port}")
        ready.set()
        while not stop.is_set():
            await asyncio.sleep(0.005)
        server.should_exit = True
        await task

    thread = Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait()
    try:
        yield address[0]
    finally:
        stop.set()
        thread.join()


def picture(red: int = 64, size: tuple[int, int] = (32, 24)) -> str:
    """Return a plain PNG as base64."""
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)
    image[..., 2] = red  # OpenCV's order
    return encoded(image)


def depth(value_mm: int = 1000, size: tuple[int, int] = (32, 24)) -> str:
    """Return a 16-bit depth PNG, slightly sloped, as base64."""
    width, height = size
    slope = np.arange(width, dtype=np.uint16)[None].repeat(height, axis=0)
    return encoded(slope + np.uint16(value_mm))


def encoded(image: np.ndarray[Any, Any]) -> str:
    """Return any image as a PNG as base64."""
    return base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()
