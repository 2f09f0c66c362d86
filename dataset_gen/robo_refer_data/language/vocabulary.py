"""The words of all questions, in one place.

A small model learns these words from nothing, so there are few of them: a modest set of ways to
say each thing. Names, colours and materials are the generator's own (`ObjectTruth`).
"""

from __future__ import annotations

THINGS = ("object", "thing", "item")
"""What an object is called whose name would give it away."""

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

WRAPPERS = (
    "point to {}",
    "point at {}",
    "find {}",
    "locate {}",
    "show me {}",
    "pick up {}",
    "grab {}",
    "give me {}",
    "look for {}",
    "where is {}?",
    "can you point to {}?",
    "can you show me {}?",
    "can you find {}?",
)
FREE_WRAPPERS = (
    "point to {}",
    "point at {}",
    "find {}",
    "locate {}",
    "show me {}",
    "look for {}",
    "where is {}?",
    "can you find {}?",
    "put it in {}",
    "place it in {}",
)
BARE_SHARE = 0.4
"""Share of instructions that are only a noun phrase."""

ARTICLE_DROPPED_SHARE = 0.25
"""Share of the bare ones that also lack "the"."""

FULL_STOP_SHARE = 0.15
SYNONYM_SHARE = 0.15

RELATIONS: dict[str, tuple[str, ...]] = {
    "left_of": (
        "directly left of {}",
        "directly to the left of {}",
        "just left of {}",
        "just to the left of {}",
        "immediately left of {}",
    ),
    "right_of": (
        "directly right of {}",
        "directly to the right of {}",
        "just right of {}",
        "just to the right of {}",
        "immediately right of {}",
    ),
    "front_of": (
        "directly in front of {}",
        "just in front of {}",
        "right in front of {}",
        "immediately in front of {}",
    ),
    "behind": (
        "directly behind {}",
        "just behind {}",
        "right behind {}",
        "immediately behind {}",
    ),
    "nearest_to": ("nearest to {}", "closest to {}", "nearest {}"),
    "farthest_from": ("farthest from {}", "furthest from {}", "farthest away from {}"),
    "just_nearer": (
        "just nearer to the camera than {}",
        "just closer to the camera than {}",
        "next nearer to the camera than {}",
    ),
    "on_top_of": ("on top of {}", "on {}", "standing on {}"),
    "inside": ("inside {}", "in {}", "inside of {}"),
    "under": ("under {}", "underneath {}", "beneath {}"),
}
BETWEEN = ("between {} and {}", "in between {} and {}")
LINKS = (" ", " ", " that is ", " which is ")

RANKS = ("", "first", "second", "third", "fourth", "fifth")
FIRST_ON_SIDE = (
    "the {side}most {head}",
    "the {head} farthest to the {side}",
    "the first {head} from the {side}",
)
NTH_ON_SIDE = (
    "the {rank} {head} from the {side}",
    "the {rank} {head} counting from the {side}",
    "the {rank} {head} counted from the {side}",
    "the {rank} from the {side}",
)
NTH_FROM_FRONT = (
    "the {rank} {head} from the front",
    "the {rank} nearest {head}",
    "the {rank} closest {head}",
    "the {rank} nearest {head} to the camera",
    "the {rank} closest {head} to the camera",
)
SUPERLATIVES: dict[str, tuple[str, ...]] = {
    "nearest_camera": (
        "the {head} nearest to the camera",
        "the {head} closest to the camera",
        "the nearest {head}",
        "the closest {head}",
        "the nearest {head} to the camera",
        "the closest {head} to the camera",
    ),
    "farthest_camera": (
        "the {head} farthest from the camera",
        "the {head} furthest from the camera",
        "the farthest {head}",
        "the furthest {head}",
        "the most distant {head}",
        "the {head} farthest away",
    ),
    "biggest": ("the biggest {head}", "the largest {head}", "the {head} that is biggest"),
    "smallest": ("the smallest {head}", "the {head} that is smallest"),
    "tallest": ("the tallest {head}", "the {head} that is tallest"),
    "shortest": ("the shortest {head}", "the {head} that is shortest"),
}
OF_TWO: dict[str, tuple[str, ...]] = {
    "nearest_camera": ("the nearer {head}", "the closer {head}"),
    "farthest_camera": ("the farther {head}", "the {head} farther away"),
    "biggest": ("the bigger {head}", "the larger {head}"),
    "smallest": ("the smaller {head}",),
    "tallest": ("the taller {head}",),
    "shortest": ("the shorter {head}",),
}
COMPARISONS: dict[str, tuple[str, ...]] = {
    "nearest_camera": ("nearer to the camera", "closer to the camera", "nearer", "closer"),
    "tallest": ("taller",),
    "biggest": ("bigger", "larger"),
}
COMPARED = (
    "which is {word}, {first} or {second}?",
    "which one is {word}, {first} or {second}?",
    "what is {word}, {first} or {second}?",
    "{first} or {second}, which is {word}?",
    "the one that is {word}, {first} or {second}",
    "point to the one that is {word}, {first} or {second}",
)

FREE_NOUNS = (
    "a free spot",
    "an empty spot",
    "a free place",
    "an empty place",
    "free space",
    "empty space",
    "an empty area",
)
ON_TABLE = ("", "", " on the table")
FREE_SIDES: dict[str, tuple[str, ...]] = {
    "left": ("to the left of {}", "left of {}", "on the left of {}"),
    "right": ("to the right of {}", "right of {}", "on the right of {}"),
    "front": ("in front of {}",),
    "behind": ("behind {}",),
}


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
