"""The groups of items that accuracy is reported by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from robo_refer_bench.scored import Scored
from robo_refer_bench.suites import find_suite
from robo_refer_bench.suites.generated import GENERATED

CAMERA_EXTREMES = ("nearest_camera", "farthest_camera")
MOST_VALUES = 12
"""A tag with more values than this is a name, not a group."""

Chooses = Callable[[Scored], bool]


def _family(name: str, *steps: int) -> Chooses:
    return lambda s: s.tag("family") == name and (not steps or s.item.steps in steps)


def _naming(unique: str) -> Chooses:
    naming = _family("object", 0)
    return lambda s: naming(s) and s.tag("colour_unique") == unique


def _single_step(camera: bool) -> Chooses:
    single = _family("object", 1)
    return lambda s: single(s) and (s.tag("kind") in CAMERA_EXTREMES) is camera


GENERATED_GROUPS: dict[str, Chooses] = {
    "naming": _family("object", 0),
    "naming, colour unique": _naming("true"),
    "naming, colour shared": _naming("false"),
    "single-step relations": _single_step(camera=False),
    "nearest, farthest": _single_step(camera=True),
    "two steps": _family("object", 2),
    "three steps": _family("object", 3),
    "by a relation": _family("relation"),
    "reasoning, two and three steps": _family("reasoning", 2, 3),
    "reasoning, four and five steps": _family("reasoning", 4, 5),
    "free space": _family("free_space"),
    "absent, refused": _family("absent"),
    "all": lambda s: True,
}
"""The groups that accuracy on generated scenes is reported by."""


def groups_of(scored: Sequence[Scored]) -> dict[str, Chooses]:
    """Return the groups that these items are reported by.

    Generated scenes have their own. Of other suites they are the splits, in each its steps and
    tags, and at last all splits together that share no item.
    """
    if all(s.asked.suite == GENERATED.name for s in scored):
        return GENERATED_GROUPS
    groups: dict[str, Chooses] = {}
    for suite, split in dict.fromkeys((s.asked.suite, s.asked.split) for s in scored):
        name, inside = f"{suite}/{split}", partial(_inside, suite, (split,))
        groups[name] = inside
        those = [s for s in scored if inside(s)]
        for steps in sorted({s.item.steps for s in those} - {0}):
            groups[f"{name}, steps {steps}"] = partial(_with_steps, inside, steps)
        for tag in sorted({tag for s in those for tag in s.item.tags}):
            values = sorted({s.tag(tag) for s in those})
            if 1 < len(values) <= MOST_VALUES:
                for value in values:
                    label = f"{name}, {tag} {value or '(none)'}"
                    groups[label] = partial(_with_tag, inside, tag, value)
    return groups | _pooled(scored)


def _pooled(scored: Sequence[Scored]) -> dict[str, Chooses]:
    """Return a group for every suite of which several splits were asked that share no item."""
    groups: dict[str, Chooses] = {}
    for suite in dict.fromkeys(s.asked.suite for s in scored):
        asked = {s.asked.split for s in scored if s.asked.suite == suite}
        splits = tuple(split for split in find_suite(suite).disjoint if split in asked)
        if len(splits) > 1:
            groups[f"{suite}, {' and '.join(splits)}"] = partial(_inside, suite, splits)
    return groups


def _inside(suite: str, splits: tuple[str, ...], s: Scored) -> bool:
    return s.asked.suite == suite and s.asked.split in splits


def _with_steps(inside: Chooses, steps: int, s: Scored) -> bool:
    return inside(s) and s.item.steps == steps


def _with_tag(inside: Chooses, name: str, value: str, s: Scored) -> bool:
    return inside(s) and s.tag(name) == value
