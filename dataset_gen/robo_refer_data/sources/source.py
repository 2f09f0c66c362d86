"""`Source`: what every source of real frames does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.observation import Observation
from robo_refer_data.relations import listed  # noqa: F401 - registers them
from robo_refer_data.relations.registry import RELATIONS
from robo_refer_data.sources import SOURCES

CERTAIN = tuple(name for name in FAMILIES if name not in ("absent", "counting"))
"""Families that stay true where not everything in the picture is labelled."""

SEEN_FRAMES = ("image", "camera")
WITHOUT_GRAVITY = tuple(r.name for r in RELATIONS.values() if r.frame in SEEN_FRAMES)
"""Relations that need no knowledge of where up is."""


class LeftOutError(Exception):
    """A frame that gives no sample, and why, in a few words that can be counted."""


@dataclass(frozen=True)
class Seen:
    """A frame with what is known about it.

    Attributes:
        observation: what questions are asked about.
        families: question families that may be asked of it.
        relations: the only relations that may be asked about; empty for all.
        meta: for `Sample.meta`; JSON-ready.
    """

    observation: Observation
    families: tuple[str, ...] = CERTAIN
    relations: tuple[str, ...] = ()
    meta: dict[str, Any] = field(default_factory=dict)


class Source(Protocol):
    """Frames of one folder."""

    def __init__(self, path: Path, out: Path, config: Path | None) -> None:
        """Open the source.

        Args:
            path: folder of the frames.
            out: folder of the dataset, where stages may keep what they computed.
            config: YAML file with the source's options, or None.

        Raises:
            RoboReferError: BAD_FILE or BAD_REQUEST when folder or options cannot be used.
        """

    def frames(self) -> Sequence[str]:
        """Return the names of the frames, sorted."""

    def see(self, frame: str) -> Seen:
        """Return what a frame shows.

        Raises:
            LeftOutError: when it gives no sample.
            RoboReferError: when its files are broken.
        """


def open_source(kind: str, path: Path, out: Path, config: Path | None) -> Source:
    """Return a source by its name.

    Raises:
        RoboReferError: BAD_REQUEST for an unknown name, BAD_FILE for a missing folder, and those
            of the source.
    """
    if kind not in SOURCES:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"There is no source {kind!r}.",
            f"Choose among: {', '.join(SOURCES)}.",
        )
    if not path.is_dir():
        raise RoboReferError(
            ErrorCode.BAD_FILE, f"{path} is no folder.", "Give the folder of the frames."
        )
    module, name = SOURCES[kind].split(":")
    source: Source = getattr(import_module(module), name)(path, out, config)
    return source
