"""`Plan`: which dataset to make, and how it is cut into shards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robo_refer.data.sample import FAMILIES
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.observation import Half

GENERATOR_VERSION = 2
"""Raise it with every change that makes other bytes from the same seed."""

_MAX_SHARD = 500
_MIN_SHARD = 8
_SHARDS_WANTED = 64  # enough that many workers share the work evenly
_MAX_SIDE = 4096


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
    """

    scenes: int
    seed: int = 0
    width: int = 640
    height: int = 480
    questions: int = 16
    half: Literal["natural", "decorrelated", "both"] = "both"
    sensor_depth: bool = False
    families: tuple[str, ...] = FAMILIES

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
        unknown = [name for name in self.families if name not in FAMILIES]
        if unknown or not self.families:
            raise RoboReferError(
                ErrorCode.BAD_REQUEST,
                f"There is no question family {unknown[0]!r}." if unknown else "No family is left.",
                f"Choose among: {', '.join(FAMILIES)}.",
            )

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
