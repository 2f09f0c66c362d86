"""The recipe of RefSpatial-Sim: read, made by 'robo-refer data generate', held to its hash."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import yaml

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.suites.base import Item
from robo_refer_bench.suites.digest import content_hash
from robo_refer_bench.suites.generated import generated_items
from robo_refer_bench.suites.reading import bad_layout, read_bytes

SHIPPED = Path(__file__).with_name("refspatial_sim.yaml")
SPLITS = ("location", "placement", "unseen")
MAX_STEPS = 5
_HASHES = re.compile(rb"^hashes: .*$", re.MULTILINE)


@dataclass(frozen=True)
class Recipe:
    """Which scenes are made, and which of their questions are asked.

    Attributes:
        scenes, seed, size, questions, families: options of 'robo-refer data generate'.
        items: of every split.
        per_scene: how many items of a split may be about one scene.
        held_out: (inner, outer) relations that only `unseen` asks one after the other.
        hashes: by split, of its items; none where they are not known yet.
    """

    scenes: int
    seed: int
    size: str
    questions: int
    families: tuple[str, ...]
    items: int
    per_scene: Mapping[str, int]
    held_out: frozenset[tuple[str, str]]
    hashes: Mapping[str, str]

    def select(self, split: str, items: Iterable[Item]) -> list[Item]:
        """Return the items of a split, scene by scene, rare numbers of steps first.

        Raises:
            RoboReferError: BAD_FILE when there are too few.
        """
        counts: Counter[int] = Counter()
        found: list[Item] = []
        for _, of_scene in groupby(items, key=lambda item: item.picture):
            left = [item for item in of_scene if self._belongs(split, item)]
            for _ in range(min(self.per_scene[split], len(left), self.items - len(found))):
                rarest = min(left, key=lambda item: counts[item.steps])
                left.remove(rarest)
                counts[rarest.steps] += 1
                found.append(rarest)
        if len(found) < self.items:
            raise bad_layout(f"There are {len(found)} items of {split}, not {self.items}")
        return found

    def _belongs(self, split: str, item: Item) -> bool:
        chain = item.tags.get("chain", "").split()
        unseen = not self.held_out.isdisjoint(pairwise(chain))
        if not 1 <= item.steps <= MAX_STEPS or item.tags["family"] not in self.families:
            return False
        if split == "unseen" or unseen:
            return split == "unseen" and unseen
        return (item.tags["family"] == "free_space") == (split == "placement")

    def command(self, out: Path, workers: int) -> list[str]:
        """Return the arguments of 'robo-refer' that make the scenes."""
        options = {
            "out": out,
            "scenes": self.scenes,
            "seed": self.seed,
            "size": self.size,
            "questions": self.questions,
            "workers": workers,
        }
        named = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        return ["data", "generate", *named, "--families", *self.families, "--json"]


@cache
def read_recipe(path: Path = SHIPPED) -> Recipe:
    """Return the recipe in a YAML file; raises BAD_FILE where it is none."""
    try:
        values: Any = yaml.safe_load(read_bytes(path))
        return Recipe(
            **{
                **values,
                "families": tuple(values["families"]),
                "held_out": frozenset((inner, outer) for inner, outer in values["held_out"]),
            }
        )
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise bad_layout(f"{path} is no recipe of RefSpatial-Sim ({error})") from error


def make(path: Path, out: Path, workers: int, write_hash: bool = False) -> dict[str, str]:
    """Make the scenes of a recipe, and return the hash of every split.

    Args:
        path: the recipe.
        out: folder of the scenes; what is there already is not made again.
        workers: number of processes.
        write_hash: write the hashes into the recipe, instead of holding the scenes to them.

    Raises:
        RoboReferError: MISSING_DEPENDENCY without the extra `data`; what 'robo-refer data generate'
            reports; BAD_FILE when too few items come out, or others than the recipe's hashes say.
    """
    recipe = read_recipe(path)
    _run(recipe.command(out, workers))
    found = {split: content_hash(recipe.select(split, generated_items(out))) for split in SPLITS}
    if write_hash:
        text = ", ".join(f"{split}: {value}" for split, value in found.items())
        recipe_with = _HASHES.sub(f"hashes: {{{text}}}".encode(), read_bytes(path))
        try:
            path.write_bytes(recipe_with)
        except OSError as error:
            raise bad_layout(f"{path} cannot be written: {error.strerror}") from error
        read_recipe.cache_clear()
    else:
        for split, value in found.items():
            check_hash(recipe, split, value, out)
    return found


def check_hash(recipe: Recipe, split: str, found: str, root: Path) -> None:
    """Refuse items that are not those of the recipe (BAD_FILE)."""
    expected = recipe.hashes.get(split, found)
    if found != expected:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{root} is not the RefSpatial-Sim of this release: the hash of {split} is {found}, "
            f"not {expected}.",
            "Make it anew with this release: robo-refer bench sim DIR.",
        )


def _run(arguments: Sequence[str]) -> None:
    """Run a command of robo-refer in a process of its own, its progress on our stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "robo_refer.cli.main", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return
    try:
        failure = json.loads(done.stdout.splitlines()[-1])
        code, message, remedy = failure["code"], failure["message"], failure["remedy"]
    except (ValueError, IndexError, KeyError, TypeError):
        code, message = ErrorCode.UNKNOWN, f"'robo-refer {' '.join(arguments[:2])}' failed."
        remedy = "Its last lines above say why."
    raise RoboReferError(ErrorCode(code), message, remedy)
