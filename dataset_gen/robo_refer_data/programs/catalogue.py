"""What could stand in a scene: names with their frequency and colours, from the assets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Entry:
    """A name, the colours it comes in, and how often it is chosen, relative to others."""

    name: str
    colours: tuple[str, ...]
    weight: float


@cache
def catalogue(sources: tuple[str, ...] = ("parametric",)) -> tuple[Entry, ...]:
    """Return all names that these sources of assets know, see `assets.library`."""
    # the builders are not needed to read a program
    from robo_refer_data.assets.library import open_library

    specs = open_library(sources).specs
    return tuple(Entry(spec.name, spec.colours, spec.weight) for spec in specs)
