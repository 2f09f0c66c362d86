"""Ask a client every item of some suites, and keep every answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.asking import ask_all
from robo_refer_bench.clients.base import Asked, Client
from robo_refer_bench.depth_choice import DepthChoice, work
from robo_refer_bench.records import Recording
from robo_refer_bench.run_log import LOCATION, RunLog
from robo_refer_bench.selection import HalfChoice, Part, in_half, read_items
from robo_refer_bench.suites.digest import content_hash

NOT_SHOWN = "not shown"
"""Whose depth was shown, to a client that sees none."""


@dataclass(frozen=True)
class RunOptions:
    """What to ask.

    Attributes:
        half: which of the generated scenes.
        depth: whose depth the model sees.
        think: whether our own models are asked for written reasoning.
        limit: how many questions of every split at most, None for all.
    """

    half: HalfChoice = "both"
    depth: DepthChoice = "own"
    think: bool = False
    limit: int | None = None


@dataclass(frozen=True)
class Run:
    """A run that is done: what was asked, and the answers.

    Attributes:
        asked: the items, in the order of their suites.
        recording: settings and records; every item has one.
    """

    asked: tuple[Asked, ...]
    recording: Recording


def run(parts: Sequence[Part], client: Client, options: RunOptions, out: Path | None = None) -> Run:
    """Ask every selected item, and return the answers.

    Args:
        parts: what to ask about.
        client: who answers.
        options: what to ask.
        out: JSONL file that is continued where an earlier run with the same settings ended.

    Raises:
        RoboReferError: BAD_FILE, BAD_SAMPLE, BAD_REQUEST (nothing to ask, another run's `out`),
            BAD_CHECKPOINT, and BACKEND_UNREACHABLE or BACKEND_TIMEOUT for a server that is gone.
            What goes wrong with one question is its status, not an error.
    """
    if options.depth == "shuffled" and not client.sees_depth:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{client.model} is asked without depth, so there is none to be shuffled.",
            "Leave --depth out.",
        )
    items = {part: read_items(part) for part in parts}
    everything = [asked for part in parts for asked in in_half(items[part], options.half)]
    pictures = work(everything, options.depth, options.limit)
    chosen = {one.key for picture in pictures for one in picture.items}
    asked = tuple(one for one in everything if one.key in chosen)
    log = RunLog(out, settings_of(items, client, options))
    ask_all(pictures, client, log)
    order = {one.key: place for place, one in enumerate(asked)}
    records = sorted(log.records, key=lambda item: order[item.key])
    return Run(asked, Recording(log.settings, tuple(records)))


def settings_of(
    items: Mapping[Part, Sequence[Asked]], client: Client, options: RunOptions
) -> Mapping[str, Any]:
    """Return what two runs must share to be one, and where the data lies; JSON-ready."""
    return {
        "model": client.model,
        "model_hash": client.fingerprint,
        "family": client.family,
        **client.settings,
        "data": {
            part.name: {
                "name": part.root.resolve().name,
                "hash": content_hash(one.item for one in asked),
            }
            for part, asked in items.items()
        },
        "half": options.half,
        "depth": options.depth if client.sees_depth else NOT_SHOWN,
        "think": options.think,
        "limit": options.limit,
        LOCATION: {part.name: str(part.root.resolve()) for part in items},
    }
