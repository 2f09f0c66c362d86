"""Engines that ask a server: ours or the released RoboRefer's, and OpenAI-compatible ones."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Literal

from robo_refer import relative_depth
from robo_refer.data import images
from robo_refer.engines.base import Generation, Request, Timings
from robo_refer.engines.chat_endpoint import ChatEndpoint, image_part, text_part
from robo_refer.engines.http_call import HttpCaller
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import READERS
from robo_refer.types import Answer, FloatArray, Frame

DepthForm = Literal["metric", "relative"]
"""How depth travels: 16-bit millimetres (our server), or the released server's 8-bit relative."""


def depth_png(depth_m: FloatArray, form: DepthForm) -> bytes:
    """Return (height, width) metres as a PNG: 16-bit millimetres, or relative in three channels.

    Raises:
        RoboReferError: BAD_DEPTH when not one pixel is measured.
    """
    if form == "metric":
        if ((depth_m > 0) & (depth_m <= images.MAX_DEPTH_M)).any():
            return images.encode_depth(depth_m)
    else:
        relative = relative_depth.relative_depth(depth_m)
        if relative is not None:
            return relative_depth.encode(relative)
    raise RoboReferError(
        ErrorCode.BAD_DEPTH,
        "Not one pixel of the depth is measured.",
        "Check the unit and the sensor, or leave depth out to get a 2D answer.",
    )


class HttpEngine(ABC):
    """Asks one question after the other; how the answers are read is named, never guessed.

    Args:
        name: the model's name in results.
        reader: one of `robo_refer.parsing.READERS`.
    """

    def __init__(self, name: str, reader: str) -> None:
        if reader not in READERS:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"There is no answer format {reader!r}.",
                f"Use one of: {', '.join(READERS)}.",
            )
        self.name = name
        self.timings = Timings()
        self._reader = READERS[reader]

    def generate(self, requests: Sequence[Request]) -> list[Generation]:
        """Return one answer per request; see `Engine.generate`."""
        start = perf_counter()
        answers = [Generation(self.ask(request), (), ()) for request in requests]
        self.timings.decode += perf_counter() - start
        return answers

    @abstractmethod
    def ask(self, request: Request) -> str:
        """Return the server's answer to one request, as it was written."""

    def read(self, text: str, frame: Frame) -> Answer:
        """Return what the text says, by the named reader; see `Engine.read`."""
        return self._reader(text, frame.width, frame.height)


class QueryEngine(HttpEngine):
    """A server of the released RoboRefer's protocol, `POST /query`; ours speaks it too.

    Args:
        caller: the server.
        name: the model's name in results.
        reader: "robo_refer" for ours, "roborefer_tuples" for the released one.
        depth: how depth is sent: "metric" to ours, "relative" to the released one.
        suffix: what is written behind every instruction (the released model's format request).
        estimate_depth: let the server estimate the depth of frames without (the released one can).
    """

    def __init__(
        self,
        caller: HttpCaller,
        *,
        name: str = "",
        reader: str = "robo_refer",
        depth: DepthForm = "metric",
        suffix: str = "",
        estimate_depth: bool = False,
    ) -> None:
        super().__init__(name or caller.shown_url, reader)
        self._caller, self._depth, self._suffix = caller, depth, suffix
        self._estimate_depth = estimate_depth

    def body(self, request: Request) -> dict[str, Any]:
        """Return the JSON that is sent for a request."""
        frame = request.frame
        maps = [] if frame.depth_m is None else [_base64(depth_png(frame.depth_m, self._depth))]
        body: dict[str, Any] = {
            "image_url": [_base64(images.encode_rgb(frame.rgb))],
            "depth_url": maps,
            "enable_depth": int(bool(maps) or self._estimate_depth),
            "text": request.instruction + self._suffix,
        }
        if request.reason:
            body["reason"] = True  # ours; the released server ignores it
        return body

    def ask(self, request: Request) -> str:
        """Return the answer to one request; reasoning is up to the server's model."""
        reply = self._caller.post("/query", self.body(request))
        answer = reply.get("answer") if isinstance(reply, dict) else None
        if not isinstance(answer, str):
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"{self._caller.shown_url} replies without an answer.",
                "Check that it speaks the RoboRefer protocol.",
            )
        return answer


class ChatEngine(HttpEngine):
    """A model behind an OpenAI-compatible server.

    Args:
        endpoint: the server and its model.
        reader: the answer format of the model's family.
        prompt: from the instruction to the text that this family is asked with.
        depth: how depth is sent as a second image; None sends none.
        max_tokens: of an answer.
        fields: more fields of every request, see `ChatEndpoint.complete`.
    """

    def __init__(
        self,
        endpoint: ChatEndpoint,
        *,
        reader: str,
        prompt: Callable[[str], str] = str,
        depth: DepthForm | None = None,
        max_tokens: int = 1024,
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(endpoint.model, reader)
        self._fields = {"max_tokens": max_tokens, **(fields or {})}
        self._endpoint, self._prompt = endpoint, prompt
        self._depth = depth

    def ask(self, request: Request) -> str:
        """Return the answer to one request."""
        frame = request.frame
        parts = [image_part(images.encode_rgb(frame.rgb))]
        if self._depth is not None and frame.depth_m is not None:
            parts.append(image_part(depth_png(frame.depth_m, self._depth)))
        parts.append(text_part(self._prompt(request.instruction)))
        return self._endpoint.complete(parts, **self._fields)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
