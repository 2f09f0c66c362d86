"""Asks any OpenAI-compatible server (vLLM, SGLang, ours, hosted ones) for one completion."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from robo_refer.engines.http_call import HttpCaller, Retries
from robo_refer.errors import ErrorCode, RoboReferError

Part = Mapping[str, Any]


def text_part(text: str) -> Part:
    """Return text as a part of a message."""
    return {"type": "text", "text": text}


def image_part(png: bytes) -> Part:
    """Return a PNG as a part of a message, as a data URL."""
    url = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


class ChatEndpoint:
    """One model behind `POST {url}/chat/completions`.

    Args:
        url: the base address, which usually ends in "/v1".
        model: the model's name on that server.
        timeout_s, api_key_env, retries: see `HttpCaller`.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        timeout_s: float = 60.0,
        api_key_env: str = "",
        retries: Retries | None = None,
    ) -> None:
        self.model = model
        self.caller = HttpCaller(url, timeout_s=timeout_s, api_key_env=api_key_env, retries=retries)

    def complete(
        self,
        parts: Sequence[Part],
        *,
        system: str = "",
        max_tokens: int = 512,
        **options: Any,
    ) -> str:
        """Return the text that the model writes, greedily, to one user message.

        Args:
            parts: of the message, from `text_part` and `image_part`.
            system: the system message; "" sends none.
            max_tokens: of the answer.
            options: more fields of the request, such as `temperature` or `response_format`; None
                leaves a field out that this server refuses.

        Raises:
            RoboReferError: those of `HttpCaller.post`; UNPARSABLE_ANSWER when the reply has no
                text.
        """
        messages: list[Mapping[str, Any]] = [{"role": "user", "content": list(parts)}]
        if system:
            messages.insert(0, {"role": "system", "content": system})
        body = {
            "model": self.model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": 0.0,
            **options,
        }
        sent = {name: value for name, value in body.items() if value is not None}
        reply = self.caller.post("/chat/completions", sent)
        try:
            text = reply["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            text = None
        if not isinstance(text, str):
            raise RoboReferError(
                ErrorCode.UNPARSABLE_ANSWER,
                f"{self.caller.shown_url} replies without a choice that has text.",
                "Check that the server speaks the OpenAI chat protocol, and its token limit.",
            )
        return text
