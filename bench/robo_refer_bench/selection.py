"""Which items a command is about: suites by name, or folders of generated scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.clients.base import Asked
from robo_refer_bench.suites import SUITES, Suite, find_split, find_suite
from robo_refer_bench.suites.generated import GENERATED

HalfChoice = Literal["natural", "decorrelated", "both"]
DEFAULT_ROOT = Path("data/bench")


@dataclass(frozen=True, eq=False)
class Part:
    """One split of a suite, and where its data lies."""

    suite: Suite
    split: str
    root: Path

    @property
    def name(self) -> str:
        """Its name in settings: "refspatial_bench/Location"."""
        return f"{self.suite.name}/{self.split}"


def parts(names: Sequence[str], root: Path = DEFAULT_ROOT) -> list[Part]:
    """Return the splits that are named.

    Args:
        names: each a suite ("refspatial_bench": all its splits), one split
            ("refspatial_bench/Unseen"), or a folder of generated scenes.
        root: the folder of the suite, or one in which every suite has a folder of its name.

    Raises:
        RoboReferError: BAD_REQUEST for a name that is none of these, or is named twice;
            BAD_FILE when a suite's data is not there.
    """
    found = [part for name in names for part in _parts(name, root)]
    if not found:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            "No suite is named.",
            f"Name a folder of generated scenes, or some of: {', '.join(SUITES)}.",
        )
    if len({part.name for part in found}) < len(found):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"A suite is named twice among {', '.join(names)}.",
            "Name every suite once; run folders of generated scenes one by one.",
        )
    return found


def _parts(name: str, root: Path) -> list[Part]:
    suite_name, _, split = name.partition("/")
    if suite_name not in SUITES:
        if Path(name).exists():
            return [Part(GENERATED, only, Path(name)) for only in GENERATED.splits]
        if "/" in name or "." in name:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"There is no folder {name}.",
                f"Name a folder of generated scenes, or one of: {', '.join(SUITES)}.",
            )
    suite = find_suite(suite_name)
    chosen = [find_split(suite, split)] if split else suite.splits
    return [Part(suite, one, folder_of(suite, root)) for one in chosen]


def folder_of(suite: Suite, root: Path) -> Path:
    """Return the folder with a suite's data.

    Raises:
        RoboReferError: BAD_FILE where there is no folder `root`.
    """
    if not root.is_dir():
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"There is no folder {root} with the data of {suite.title}.",
            f"Name it with --root; 'robo-refer bench suites {suite.name}' says how to get it.",
        )
    own = root / suite.name
    return own if own.is_dir() else root


def read_items(part: Part) -> list[Asked]:
    """Return the items of a split.

    Raises:
        RoboReferError: BAD_FILE or BAD_SAMPLE when its data is not as published.
    """
    items = part.suite.items(part.split, part.root)
    return [Asked(part.suite.name, part.split, item) for item in items]


def in_half(asked: Sequence[Asked], half: HalfChoice) -> list[Asked]:
    """Return the items of one half of the generated scenes, or all."""
    return [one for one in asked if half in ("both", one.item.tags.get("half", ""))]


def parts_of(settings: Mapping[str, object], root: Path | None = None) -> list[Part]:
    """Return the splits that a recording is about, from its settings.

    Args:
        settings: of a `Recording`.
        root: as in `parts`, where the data is no longer where the run found it.

    Raises:
        RoboReferError: BAD_FILE when the settings do not say it.
    """
    roots = settings.get("roots")
    if not isinstance(roots, dict):
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            "The file does not say which data it is about.",
            "Give a file written by 'robo-refer bench run --out'.",
        )
    found: list[Part] = []
    for name, was in roots.items():
        suite_name, _, split = str(name).partition("/")
        suite = find_suite(suite_name)
        place = Path(str(was)) if root is None else folder_of(suite, root)
        found.append(Part(suite, split, place))
    return found
