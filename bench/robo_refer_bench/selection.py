"""Which items a command is about: suites by name, or folders of generated scenes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.clients.base import Asked
from robo_refer_bench.suites import SUITES, Suite, find_suite
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
        root: the folder in which the data of each suite lies under the suite's name.

    Raises:
        RoboReferError: BAD_REQUEST for a name that is none of these, or is named twice;
            BAD_FILE when a suite's data is not there.
    """
    found: list[Part] = []
    for name in names:
        found += _parts(name, root)
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
    if split and split not in suite.splits:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{suite.title} has no split {split!r}.",
            f"Use one of: {', '.join(suite.splits)}.",
        )
    folder = root / suite.name
    if not folder.is_dir():
        how = " ".join(suite.how_to_get.split())
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"The data of {suite.title} is not in {folder}.",
            f"Name with --root the folder that holds it, or get it: {how}",
        )
    return [Part(suite, one, folder) for one in ([split] if split else suite.splits)]


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


def questions_hash(asked: Sequence[Asked]) -> str:
    """Return 16 hex digits by which two runs know that they asked the same questions.

    It is of all ids and texts, and of the first picture: a dataset that was drawn anew with the
    same seed has the same texts.
    """
    digest = hashlib.sha256()
    for one in asked:
        item = one.item
        for text in (one.suite, one.split, item.id, item.prompt, item.target, item.suffix):
            digest.update(f"{text}\0".encode())
    if asked:
        digest.update(asked[0].item.frame().rgb.tobytes())
    return digest.hexdigest()[:16]


def parts_of(settings: Mapping[str, object], root: Path | None = None) -> list[Part]:
    """Return the splits that a recording is about, from its settings.

    Args:
        settings: of a `Recording`.
        root: a folder in which the suites lie, where they no longer are where the run found them;
            or the folder of generated scenes itself.

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
        place = Path(str(was))
        if root is not None:
            place = root / suite.name if (root / suite.name).is_dir() else root
        found.append(Part(suite, split, place))
    return found
