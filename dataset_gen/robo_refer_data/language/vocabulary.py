"""Nouns and adjectives: what things may be called, and what may be mistaken for each other.

Names, colours and materials are the generator's own (`ObjectTruth`).
"""

from __future__ import annotations

SYNONYMS: dict[str, tuple[str, ...]] = {
    "can": ("tin",),
    "mug": ("coffee mug",),
    "phone": ("cell phone", "mobile phone"),
    "remote": ("remote control",),
    "plant": ("potted plant",),
    "box": ("carton",),
    "drill": ("power drill",),
    "eggplant": ("aubergine",),
    "donut": ("doughnut",),
    "duck": ("rubber duck", "toy duck"),
    "toy car": ("car",),
    "toy elephant": ("elephant",),
    "clock": ("alarm clock",),
    "tape": ("roll of tape",),
}
"""Other words for a name, used only where no other visible object could be meant."""

MATERIAL_ADJECTIVES = {"wood": "wooden"}
"""Adjectives of materials that differ from the noun."""

PARTLY: dict[str, frozenset[str]] = {
    "metal": frozenset({"scissors", "screwdriver", "drill", "pen", "hammer", "knife", "clock"}),
    "wood": frozenset({"hammer", "brush"}),
    "plastic": frozenset({"hammer", "knife", "keyboard", "laptop", "duck", "toy elephant"}),
    "paper": frozenset({"can", "tube", "bottle", "tape"}),
    "rubber": frozenset({"ball", "toy car"}),
}
"""Names that partly are, or pass for, a material: none stands beside "the metal object"."""

LOOKALIKES: tuple[frozenset[str], ...] = (
    frozenset({"mug", "cup", "bowl"}),
    frozenset({"can", "tube", "bottle"}),
    frozenset({"can", "cup", "candle"}),
    frozenset({"box", "block", "sponge", "basket", "shelf"}),
    frozenset({"ball", "orange", "apple"}),
    frozenset({"lemon", "pear", "banana"}),
    frozenset({"apple", "pear"}),
    frozenset({"plate", "tray", "bowl"}),
    frozenset({"basket", "tray", "box"}),
    frozenset({"basket", "bowl"}),
    frozenset({"book", "box", "laptop"}),
    frozenset({"book", "phone"}),
    frozenset({"keyboard", "laptop"}),
    frozenset({"phone", "remote"}),
    frozenset({"spoon", "knife", "screwdriver", "pen", "brush"}),
    frozenset({"hammer", "screwdriver", "brush"}),
    frozenset({"vase", "bottle", "cup"}),
    frozenset({"vase", "teapot"}),
    frozenset({"mug", "teapot"}),
    frozenset({"plant", "vase"}),
    frozenset({"tape", "donut"}),
    frozenset({"carrot", "pen"}),
)
"""Names that a person might use for each other: none is asked for as absent beside another."""

NEAR_COLOURS: tuple[frozenset[str], ...] = (
    frozenset({"red", "orange"}),
    frozenset({"red", "pink"}),
    frozenset({"red", "brown"}),
    frozenset({"orange", "yellow"}),
    frozenset({"orange", "brown"}),
    frozenset({"yellow", "brown"}),
    frozenset({"yellow", "white"}),
    frozenset({"purple", "pink"}),
    frozenset({"purple", "blue"}),
    frozenset({"white", "grey"}),
    frozenset({"grey", "black"}),
    frozenset({"brown", "black"}),
    frozenset({"grey", "silver"}),
)
"""Colours that a person might call each other, in some light."""

BARE_SHARE = 0.4
"""Share of instructions that are only a noun phrase."""

ARTICLE_DROPPED_SHARE = 0.25
"""Share of the bare ones that also lack "the"."""

FULL_STOP_SHARE = 0.15
SYNONYM_SHARE = 0.15
COLOUR_BEHIND_SHARE = 0.15
MATERIAL_BEHIND_SHARE = 0.3

USE_SHARE = 0.12
"""Share of things called by what they are for, of those that nothing else here is for."""

REORDERED_SHARE = 0.25
"""Share of instructions in another word order, where the grammar has one."""

PUT_SHARE = 0.4
"""Share of free spots that are said as what to do there, where the grammar has that."""

MOST_POSSESSIVE = 3
"""Longest phrase, in words, that may be followed by "'s": "the red mug's handle"."""

RANKS = ("", "first", "second", "third", "fourth", "fifth")

IRREGULAR = {"knife": "knives", "scissors": "pairs of scissors", "shelf": "shelves"}


def plural(name: str) -> str:
    """Return the plural of an object's name."""
    if name in IRREGULAR:
        return IRREGULAR[name]
    return name + ("es" if name.endswith(("s", "x", "ch", "sh")) else "s")


def alike(first: str, second: str) -> bool:
    """Whether a person might use one name for the other, by their head nouns or by their shape."""
    if first.rsplit(maxsplit=1)[-1] == second.rsplit(maxsplit=1)[-1]:
        return True
    return any({first, second} <= group for group in LOOKALIKES)


def near_colours(first: str, second: str) -> bool:
    """Whether a person might call one colour the other, or one of them is not known."""
    if not first or not second or first == second:
        return True
    return any({first, second} <= pair for pair in NEAR_COLOURS)
