"""The groups of items that accuracy is reported by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from robo_refer_bench.scored import Scored
from robo_refer_bench.suites import find_suite
from robo_refer_bench.suites.generated import GENERATED

CAMERA_EXTREMES = ("nearest_camera", "farthest_camera")
MOST_VALUES = 40
FEWEST_ITEMS = 4
"""A tag with more values than that, or fewer items of each on average, tells items, not groups."""

Chooses = Callable[[Scored], bool]


def _family(name: str, *steps: int) -> Chooses:
    return lambda s: s.tag("family") == name and (not steps or s.item.steps in steps)


def _naming(tag: str, value: str) -> Chooses:
    naming = _family("object", 0)
    return lambda s: naming(s) and s.tag(tag) == value


def _single_step(camera: bool) -> Chooses:
    single = _family("object", 1)
    return lambda s: single(s) and (s.tag("kind") in CAMERA_EXTREMES) is camera


GENERATED_GROUPS: dict[str, Chooses] = {
    "naming": _family("object", 0),
    "naming, colour unique": _naming("colour_unique", "true"),
    "naming, colour shared": _naming("colour_unique", "false"),
    "naming, small target": _naming("target_size", "small"),
    "naming, medium target": _naming("target_size", "medium"),
    "naming, large target": _naming("target_size", "large"),
    "single-step relations": _single_step(camera=False),
    "nearest, farthest": _single_step(camera=True),
    "two steps": _family("object", 2),
    "three steps": _family("object", 3),
    "by a relation": _family("relation"),
    "reasoning, two and three steps": _family("reasoning", 2, 3),
    "reasoning, four and five steps": _family("reasoning", 4, 5),
    "free space": _family("free_space"),
    "placement": _family("placement"),
    "absent, refused": _family("absent"),
    "all": lambda s: True,
}
"""The groups that accuracy on generated scenes is reported by."""


@dataclass(frozen=True)
class Facet:
    """One way to split a suite's items.

    Attributes:
        title: what is split by what, "refspatial_bench/Location by steps".
        groups: their items by value, in order.
    """

    title: str
    groups: dict[str, list[Scored]]


def groups_of(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return the groups that these items are reported by, none of them empty.

    Generated scenes have their own. Of other suites they are the splits, each by its steps and
    tags, and at last all splits together that share no item.
    """
    if all(s.asked.suite == GENERATED.name for s in scored):
        found = {name: list(filter(chooses, scored)) for name, chooses in GENERATED_GROUPS.items()}
        return {name: items for name, items in found.items() if items}
    groups: dict[str, list[Scored]] = {}
    for (suite, split), items in splits_of(scored).items():
        groups[f"{suite}/{split}"] = items
        for facet in facets_of(items):
            groups |= {f"{facet.title}: {value}": group for value, group in facet.groups.items()}
    return groups | pooled(scored)


def splits_of(scored: Sequence[Scored]) -> dict[tuple[str, str], list[Scored]]:
    """Return the items of every (suite, split)."""
    found: dict[tuple[str, str], list[Scored]] = {}
    for one in scored:
        found.setdefault((one.asked.suite, one.asked.split), []).append(one)
    return found


def pooled(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """Return the items of every suite of which several splits were asked that share none."""
    groups: dict[str, list[Scored]] = {}
    splits = splits_of(scored)
    for suite in dict.fromkeys(suite for suite, _ in splits):
        parts = [split for split in find_suite(suite).disjoint if (suite, split) in splits]
        if len(parts) > 1:
            name = f"{suite}/{' + '.join(parts)}"
            groups[name] = [one for split in parts for one in splits[suite, split]]
    return groups


def facets_of(scored: Sequence[Scored]) -> list[Facet]:
    """Return the ways to split the items of each split: by steps, and by every tag."""
    found: list[Facet] = []
    for (suite, split), items in splits_of(scored).items():
        name = suite if split == "all" else f"{suite}/{split}"
        numbers = sorted({s.item.steps for s in items})
        if len(numbers) > 1:
            steps = {f"{n} steps": [s for s in items if s.item.steps == n] for n in numbers}
            found.append(Facet(f"{name} by steps", steps))
        for tag in dict.fromkeys(tag for s in items for tag in s.item.tags):
            values = sorted({s.tag(tag) for s in items})
            if 1 < len(values) <= min(MOST_VALUES, len(items) / FEWEST_ITEMS):
                groups = {v or "(none)": [s for s in items if s.tag(tag) == v] for v in values}
                found.append(Facet(f"{name} by {tag}", groups))
    return found


def distinct(scored: Sequence[Scored]) -> list[Scored]:
    """Return the items without the splits that repeat those of others."""
    return [s for s in scored if s.asked.split in find_suite(s.asked.suite).disjoint] or [*scored]
