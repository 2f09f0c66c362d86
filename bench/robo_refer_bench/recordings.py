"""Files of answers with the items that they are about, scored: what compare and report read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.clients.base import Asked
from robo_refer_bench.depth_choice import first_of_every_split
from robo_refer_bench.records import bad_file, read_records
from robo_refer_bench.scored import Scored, score_items
from robo_refer_bench.selection import in_half, parts_of, read_items
from robo_refer_bench.suites.digest import content_hash


@dataclass(frozen=True, eq=False)
class Loaded:
    """A file of answers.

    Attributes:
        settings: how they were made.
        scored: every item that the run was about, in order; what was not answered is a miss.
    """

    settings: Mapping[str, Any]
    scored: tuple[Scored, ...]


def load(path: Path, root: Path | None = None, controls: bool = False) -> Loaded:
    """Return a run's items with its answers, scored.

    Args:
        path: written by 'robo-refer bench run --out'.
        root: where the suites' data lies, if it is no longer where the run found it.
        controls: whether the controls are scored too.

    Raises:
        RoboReferError: BAD_FILE when it or the data cannot be read; BAD_REQUEST when the data is
            not what the run was about.
    """
    recording = read_records(path)
    settings = recording.settings
    try:
        asked = _asked(settings, root)
    except (KeyError, TypeError, AttributeError) as error:
        raise bad_file(path, "does not say what it is about") from error
    return Loaded(settings, tuple(score_items(asked, recording.records, controls)))


def _asked(settings: Mapping[str, Any], root: Path | None) -> list[Asked]:
    found: list[Asked] = []
    for part in parts_of(settings, root):
        items = read_items(part)
        if content_hash(one.item for one in items) != settings["data"][part.name]["hash"]:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"{part.root} holds other questions than the run was about.",
                "Name with --root the folder with the data of then.",
            )
        found += in_half(items, settings["half"])
    limit = settings["limit"]
    return found if limit is None else first_of_every_split(found, limit)
