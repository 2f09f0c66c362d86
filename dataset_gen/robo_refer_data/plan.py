"""`Plan`: which dataset to make, and how it is cut into shards."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.language.varied import Wording
from robo_refer_data.observation import Half
from robo_refer_data.relations import listed  # noqa: F401 - registers them
from robo_refer_data.relations.mentioned import OPERATIONS
from robo_refer_data.relations.registry import find
from robo_refer_data.scenes.options import (
    EFFECT_NAMES,
    FEWEST,
    MOST,
    RENDERER_NAMES,
    WORLD_NAMES,
    SceneOptions,
)

GENERATOR_VERSION = 6
"""Raise it with every change that makes other bytes from the same seed."""

_MAX_SHARD = 500
_MIN_SHARD = 8
_SHARDS_WANTED = 64  # enough that many workers share the work evenly
_MAX_SIDE = 4096
_MOST_OBJECTS = 40
_WORLD_STREAM = 3  # of random numbers; `making` uses those below


Halves = Literal["natural", "decorrelated", "both"]


@dataclass(frozen=True)
class Plan:
    """Which dataset to make; two equal plans make equal bytes.

    Attributes:
        scenes: number of scenes.
        seed: seed of the whole dataset, 0 <= seed < 2**32.
        width, height: image size in pixels.
        questions: how many questions to ask of a scene (a poor scene may give fewer).
        half: which kind of scene; "both" alternates, natural first.
        sensor_depth: store depth as a depth camera would measure it, instead of exact depth.
        families: which question families to ask.
        relations: ask only questions that are about none but these; empty for all.
        wording: how what is answered by pointing is asked: "plain" in few words, which a small
            model learns from nothing, or "varied".
        hold_out: "inner:outer" relations that no question asks in a row, kept for a test.
        world: kinds of places that natural scenes show, one drawn for each; keys of `WORLDS`.
        objects: fewest and most objects of a natural scene.
        assets: sources of objects: "parametric", "sweethome3d", or folders of models.
        physics: let things settle on tables too, where they are otherwise placed exactly.
        renderer: a key of `RENDERERS`.
        sensor: effects of a depth camera on depth (see `render.depth_camera`); empty for none.
    """

    scenes: int
    seed: int = 0
    width: int = 640
    height: int = 480
    questions: int = 16
    half: Halves = "both"
    sensor_depth: bool = False
    families: tuple[str, ...] = FAMILIES
    relations: tuple[str, ...] = ()
    wording: Wording = "varied"
    hold_out: tuple[str, ...] = ()
    world: tuple[str, ...] = ("tabletop",)
    objects: tuple[int, ...] = (FEWEST, MOST)
    assets: tuple[str, ...] = ("parametric",)
    physics: bool = False
    renderer: str = "embree"
    sensor: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        limits = {
            "scenes": (1, 10_000_000),
            "seed": (0, 2**32 - 1),
            "width": (16, _MAX_SIDE),
            "height": (16, _MAX_SIDE),
            "questions": (0, 1000),
        }
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise RoboReferError(
                    ErrorCode.BAD_REQUEST,
                    f"{name} must lie in {low}..{high}, got {getattr(self, name)}.",
                    f"Choose another {name}.",
                )
        for name, choices in (("half", get_args(Halves)), ("wording", get_args(Wording))):
            if getattr(self, name) not in choices:
                raise RoboReferError(
                    ErrorCode.BAD_REQUEST,
                    f"There is no {name} {getattr(self, name)!r}.",
                    f"Choose among: {', '.join(choices)}.",
                )
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown or not self.families:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"There is no question family {unknown[0]!r}." if unknown else "No family is left.",
                f"Choose among: {', '.join(FAMILIES)}.",
            )
        for name in self.relations:
            find(name)
        for pair in self.hold_out:
            # A misspelt one would hold out nothing, and nobody would notice.
            if not set(pair.split(":", 1)) <= OPERATIONS or ":" not in pair:
                raise RoboReferError(
                    ErrorCode.BAD_REQUEST,
                    f"{pair!r} is not a pair of relations.",
                    "Write INNER:OUTER, for example nth_left:behind. "
                    f"Choose among: {', '.join(sorted(OPERATIONS))}.",
                )
        self._check_scenes()

    def _check_scenes(self) -> None:
        chosen = (
            ("world", self.world, WORLD_NAMES),
            ("renderer", (self.renderer,), RENDERER_NAMES),
            ("effect of a sensor", self.sensor, EFFECT_NAMES),
        )
        for what, names, known in chosen:
            for name in names:
                if name not in known:
                    raise RoboReferError(
                        ErrorCode.BAD_REQUEST,
                        f"There is no {what} {name!r}.",
                        f"Choose among: {', '.join(known)}.",
                    )
        if not self.world or not self.assets:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "Scenes need a world and objects.",
                "Name at least one of --world and of --assets.",
            )
        if len(self.objects) != 2 or not 1 <= self.objects[0] <= self.objects[1] <= _MOST_OBJECTS:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"A scene cannot hold {' to '.join(map(str, self.objects))} objects.",
                f"Give the fewest and the most, from 1 to {_MOST_OBJECTS}: --objects 3 12.",
            )
        if self.sensor_depth and self.sensor:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                "Depth goes through one model of a sensor, not two.",
                "Give --sensor-depth or --sensor.",
            )

    @classmethod
    def from_manifest(cls, manifest: dict[str, Any]) -> Plan:
        """Return the plan that `as_manifest` wrote down; names that it does not know are ignored.

        Raises:
            TypeError: a value is not of its type.
            RoboReferError: BAD_REQUEST when it is no plan that could be made.
        """
        values: dict[str, Any] = {}
        for item in fields(cls):
            value = manifest.get(item.name, item.default)
            if isinstance(value, list):
                value = tuple(value)
            expected = int if item.name == "scenes" else type(item.default)
            if type(value) is not expected:
                raise TypeError(f"{item.name} is {value!r}, not of type {expected.__name__}.")
            values[item.name] = value
        return cls(**values)

    def as_manifest(self) -> dict[str, Any]:
        """Return the plan as JSON gives it back."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @property
    def scenes_per_shard(self) -> int:
        """Samples in a shard: follows from `scenes`, so that it cannot depend on the workers."""
        return min(_MAX_SHARD, max(_MIN_SHARD, -(-self.scenes // _SHARDS_WANTED)))

    @property
    def shards(self) -> int:
        """How many shards the dataset has."""
        return -(-self.scenes // self.scenes_per_shard)

    def shard_scenes(self, shard: int) -> range:
        """Return the scene indices of one shard."""
        first = shard * self.scenes_per_shard
        return range(first, min(first + self.scenes_per_shard, self.scenes))

    def scene_half(self, index: int) -> Half:
        """Return which half scene `index` belongs to."""
        if self.half != "both":
            return self.half
        return "decorrelated" if index % 2 else "natural"

    def scene_options(self, index: int) -> SceneOptions:
        """Return what kind of scene `index` is; its world is drawn, and the same every time."""
        chosen = np.random.default_rng([self.seed, index, _WORLD_STREAM]).integers(len(self.world))
        return SceneOptions(
            world=self.world[int(chosen)],
            assets=self.assets,
            objects=(self.objects[0], self.objects[1]),
            physics=self.physics,
            renderer=self.renderer,
            optics=bool(self.sensor),
        )
