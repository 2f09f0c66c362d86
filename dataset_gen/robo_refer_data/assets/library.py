"""`Library`: what the objects of a scene are drawn from, out of one or several sources."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from robo_refer_data.assets.folder import open_folder
from robo_refer_data.assets.spec import ASSETS, AssetSpec
from robo_refer_data.assets.sweethome3d import open_sweethome3d

SOURCES: dict[str, Callable[[], tuple[AssetSpec, ...]]] = {
    "parametric": lambda: tuple(ASSETS.values()),
    "sweethome3d": open_sweethome3d,
}
"""Sources by name; any other name is a folder of models (see `folder`)."""


@dataclass(frozen=True)
class Library:
    """Kinds of objects, each with how often it is chosen; a name may be there more than once."""

    specs: tuple[AssetSpec, ...]

    def named(self, name: str) -> tuple[AssetSpec, ...]:
        """Return the kinds of this name."""
        return tuple(spec for spec in self.specs if spec.name == name)

    def up_to(self, span_m: float) -> Library:
        """Return the library without what may be longer than `span_m`."""
        return Library(tuple(spec for spec in self.specs if spec.span_m <= span_m))

    def favouring(self, names: Collection[str], factor: float) -> Library:
        """Return the library with some names chosen `factor` times as often."""
        weighed = (
            replace(spec, weight=spec.weight * factor) if spec.name in names else spec
            for spec in self.specs
        )
        return Library(tuple(weighed))


@lru_cache(maxsize=8)
def open_library(sources: tuple[str, ...]) -> Library:
    """Return the library of these sources; of several, each is drawn from equally often.

    Models are parsed when their source is first opened, and kept in the user's cache.

    Raises:
        RoboReferError: BAD_REQUEST where a source is no folder and not installed, BAD_FILE where
            its models or their names and sizes cannot be read, MISSING_DEPENDENCY.
    """
    opened = [_open(source) for source in sources]
    if len(opened) == 1:
        return Library(opened[0])
    specs: list[AssetSpec] = []
    for found in opened:
        total = sum(spec.weight for spec in found)
        specs += [replace(spec, weight=spec.weight / total) for spec in found]
    return Library(tuple(specs))


def digest(sources: tuple[str, ...]) -> str:
    """Return what changes when a model that others made does, "" where there are none."""
    models = sorted(
        f"{spec.name} {spec.version}" for spec in open_library(sources).specs if spec.version
    )
    return hashlib.sha256("\n".join(models).encode()).hexdigest()[:16] if models else ""


def _open(source: str) -> tuple[AssetSpec, ...]:
    return SOURCES[source]() if source in SOURCES else open_folder(Path(source))
