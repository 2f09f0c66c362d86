"""Who answers: a model here, a model behind an address, answers of before, or a control."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import FAMILIES
from robo_refer_bench.clients.base import Asked, Client, Reply
from robo_refer_bench.clients.engine import EngineClient
from robo_refer_bench.families import family_of

__all__ = ["Asked", "Client", "ModelOptions", "Reply", "open_client"]

OWN = "robo_refer"


@dataclass(frozen=True)
class ModelOptions:
    """Who is asked, and how.

    Attributes:
        model: "nano", the folder of a checkpoint or an ONNX export, the address of a RoboRefer
            server ("http://127.0.0.1:25547"), "control:NAME", "recorded:FILE", or with --url the
            model's name on that server.
        name: What the model is called in records and tables. A server that is named may move: by
            default its address tells it from others, and its answers are not mixed. With --url,
            the name that the server has for the model still tells it from others.
        url: Base address of an OpenAI-compatible server ("http://127.0.0.1:8000/v1").
        family: How the model is asked and read: roborefer, molmo, gemini, qwen, qwen3 ... By
            default what its name tells.
        api_key_env: Name of the environment variable that holds the server's key.
        workers: How many questions a server is asked at once.
        timeout_s: Seconds that a server may take for one answer.
        attempts: How often a busy or absent server is asked before a question counts as failed.
        max_tokens: Of one answer of an OpenAI-compatible server.
        fields: More fields of every request to an OpenAI-compatible server, as JSON; null leaves
            one out: '{"temperature": null, "reasoning_effort": "low"}'.
        estimate_depth: Let a released RoboRefer server estimate the depth of pictures without, as
            its own evaluation does.
        think: Ask our own models for written reasoning.
    """

    model: str = "nano"
    name: str = ""
    url: str = ""
    family: str = ""
    api_key_env: str = ""
    workers: int = 8
    timeout_s: float = 120.0
    attempts: int = 4
    max_tokens: int = 2048
    fields: str = ""
    estimate_depth: bool = False
    think: bool = False


def open_client(options: ModelOptions) -> Client:
    """Return who answers.

    Raises:
        RoboReferError: BAD_CHECKPOINT, BAD_FILE or BAD_REQUEST for what cannot be opened, such as
            a model whose name does not tell its family.
    """
    kind, _, name = options.model.partition(":")
    if options.workers < 1 or options.attempts < 1 or options.timeout_s <= 0:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "Workers and attempts must be at least 1, and the time more than 0 s.",
            "Leave them out to use the defaults.",
        )
    if options.url:
        return _chat(options)
    if kind in ("http", "https"):
        return _query(options)
    if kind == "control":
        from robo_refer_bench.clients.controls import ControlClient

        return ControlClient(name)
    if kind == "recorded":
        from robo_refer_bench.clients.recorded import RecordedClient

        path = Path(name)
        return RecordedClient(path, options.family or family_of(path.stem), options.name)
    return _own(options)


def _own(options: ModelOptions) -> Client:
    """Return a checkpoint; its files tell it from others, and it is loaded when first asked."""
    from robo_refer.referrer import BUNDLED, Referrer
    from robo_refer_bench.fingerprint import fingerprint

    if options.family not in ("", OWN):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"'{options.model}' is a model of ours, not of the family {options.family}.",
            "Name a server with --url for models of other families.",
        )
    folder = BUNDLED.get(options.model, Path(options.model))
    files = [path for path in folder.glob("*") if path.is_file()]

    if not files:
        Referrer.from_pretrained(options.model)  # says what is wrong with it
    return EngineClient(
        lambda: Referrer.from_pretrained(options.model).engine,
        OWN,
        model=options.name or options.model,
        fingerprint=fingerprint(files),
        reason=options.think,
    )


def _query(options: ModelOptions) -> Client:
    """Return a server of the released protocol: the released one's, or ours (family robo_refer)."""
    from robo_refer.engines.http_call import HttpCaller, Retries
    from robo_refer.engines.http_engine import QueryEngine

    caller = HttpCaller(
        options.model,
        timeout_s=options.timeout_s,
        api_key_env=options.api_key_env,
        retries=Retries(options.attempts),
    )
    family = options.family or "roborefer"
    engine = QueryEngine(
        caller,
        reader=_reader(family),
        depth="metric" if family == OWN else "relative",
        estimate_depth=options.estimate_depth,
    )
    return EngineClient(
        lambda: engine,
        family,
        model=options.name or caller.shown_url,
        fingerprint=options.name or caller.shown_url,
        settings={"estimate_depth": options.estimate_depth},
        workers=options.workers,
        by_picture=False,
        reason=options.think,
        close=caller.close,
    )


def _chat(options: ModelOptions) -> Client:
    from robo_refer.engines.chat_endpoint import ChatEndpoint
    from robo_refer.engines.http_call import Retries
    from robo_refer.engines.http_engine import ChatEngine

    endpoint = ChatEndpoint(
        options.url,
        options.model,
        timeout_s=options.timeout_s,
        api_key_env=options.api_key_env,
        retries=Retries(options.attempts),
    )
    family = options.family or family_of(options.model)
    engine = ChatEngine(
        endpoint,
        reader=_reader(family),
        max_tokens=options.max_tokens,
        fields=_fields(options.fields),
    )
    # Whatever the model is called here, a server has several, and its own name tells them apart.
    place = f"{options.name} {options.model}" if options.name else endpoint.caller.shown_url
    return EngineClient(
        lambda: engine,
        family,
        model=options.name or options.model,
        fingerprint=f"{place} {options.fields}".strip(),
        settings={"max_tokens": options.max_tokens},
        workers=options.workers,
        by_picture=False,
        sees_depth=False,
        close=endpoint.caller.close,
    )


def _fields(text: str) -> dict[str, Any]:
    try:
        values = json.loads(text or "{}")
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "The fields of requests are not a JSON object.",
            """Write them like --fields '{"temperature": null}'.""",
        )
    return values


def _reader(family: str) -> str:
    """Return the name of a family's reader, which engines are given."""
    if family not in FAMILIES:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no family of models '{family}'.",
            f"Use one of: {', '.join(FAMILIES)}.",
        )
    return FAMILIES[family].reader.__name__
