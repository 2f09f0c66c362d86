"""Worlds: the kinds of places that the natural half shows. `WORLDS` is the registry."""

from robo_refer_data.scenes.worlds.desk import DESK
from robo_refer_data.scenes.worlds.floor import FLOOR
from robo_refer_data.scenes.worlds.kitchen import KITCHEN
from robo_refer_data.scenes.worlds.shelf import SHELF
from robo_refer_data.scenes.worlds.tabletop import TABLETOP
from robo_refer_data.scenes.worlds.world import World

WORLDS: dict[str, World] = {
    "tabletop": TABLETOP,
    "shelf": SHELF,
    "desk": DESK,
    "kitchen": KITCHEN,
    "floor": FLOOR,
}

__all__ = ["WORLDS", "World"]
