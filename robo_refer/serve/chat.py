"""OpenAI's chat completions: what is asked in a conversation, and how answers are sent back."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.serve.schema import ChatRequest

_PIECE = re.compile(r"\S+\s*|\s+")


def asked(request: ChatRequest) -> tuple[str, str, str | None]:
    """Return the instruction, the image and the depth (or None) of the user's last message.

    Images keep their order: the first is colour, a second one its depth.

    Raises:
        RoboReferError: BAD_INSTRUCTION without text, BAD_IMAGE without an image or with more than
            colour and depth.
    """
    last = next((m for m in reversed(request.messages) if m.role == "user"), None)
    parts = last.content if last is not None and not isinstance(last.content, str) else []
    text = "\n".join(part.text for part in parts if part.type == "text" and part.text)
    images = [part.image_url.url for part in parts if part.image_url is not None]
    if not images:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            "The user's last message has no image.",
            "Send one as a part of type image_url, with a data URL.",
        )
    if not text.strip():
        raise RoboReferError(
            ErrorCode.BAD_INSTRUCTION,
            "The user's last message has no text.",
            "Say what to point at, as a part of type text.",
        )
    depth = [*images[1:], *([] if request.depth is None else [request.depth])]
    if len(depth) > 1:
        raise RoboReferError(
            ErrorCode.BAD_IMAGE,
            f"The message has {len(images)} images.",
            "Send one image, and its depth as the second one or as 'depth'.",
        )
    return text, images[0], depth[0] if depth else None


def completion(model: str, text: str) -> dict[str, Any]:
    """Return a whole completion."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {**_head(model, "chat.completion"), "choices": [choice]}


def events(model: str, text: str) -> Iterator[str]:
    """Yield the same as server-sent events, word by word."""
    head = _head(model, "chat.completion.chunk")
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in _PIECE.findall(text)]
    for delta in deltas:
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield "data: [DONE]\n\n"


def _head(model: str, kind: str) -> dict[str, Any]:
    made = int(time.time())
    return {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": kind, "created": made, "model": model}


def _event(fields: dict[str, Any]) -> str:
    return f"data: {json.dumps(fields)}\n\n"
