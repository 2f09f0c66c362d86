"""RefSpatial-Sim: 2,000 generated items per split, the same to the last bit everywhere.

Large enough to tell models a few points apart, which the 100 of RefSpatial-Bench are not. Nothing
is downloaded: 'robo-refer bench sim DIR' makes it from the recipe beside this file, and it is held
to the recipe's hashes whenever it is read. Location and placement are asked through one to five
relations; unseen by pairs of relations that the other two, and training data, do not ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer_bench.suites.base import Item
from robo_refer_bench.suites.digest import content_hash
from robo_refer_bench.suites.generated import generated_items
from robo_refer_bench.suites.sim_recipe import SHIPPED, SPLITS, check_hash, read_recipe


@dataclass(frozen=True)
class RefSpatialSim:
    """The suite; see `base.Suite` for the attributes.

    Attributes:
        recipe: the file that says what it is made of.
    """

    name: str = "refspatial_sim"
    title: str = "RefSpatial-Sim"
    splits: tuple[str, ...] = SPLITS
    # No item is in two splits; they share pictures, so compare by picture.
    disjoint: tuple[str, ...] = SPLITS
    published_items: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(SPLITS, 2000))
    recipe: Path = SHIPPED

    @property
    def how_to_get(self) -> str:
        """How to make it, and training data that leave out what its unseen part asks."""
        pairs = sorted(f"{inner}:{outer}" for inner, outer in read_recipe(self.recipe).held_out)
        return (
            "robo-refer bench sim DIR\n"
            "To train without what 'unseen' asks: robo-refer data generate --hold-out "
            + " ".join(pairs)
        )

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`.

        Raises:
            RoboReferError: BAD_FILE also when they are not those of this release.
        """
        recipe = read_recipe(self.recipe)
        found = recipe.select(split, generated_items(root))
        check_hash(recipe, split, content_hash(found), root)
        return found


REFSPATIAL_SIM = RefSpatialSim()
