"""What a text says, read back by rule: which things, colours, ranks and relations, in which order.

The rules are the grammars themselves: every phrase that the generator can say for a relation, an
extreme or a place stands for that meaning. Words that it cannot say mean nothing here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from robo_refer_data.language import vocabulary
from robo_refer_data.language.affordances import USES
from robo_refer_data.language.fronts import FRONTS
from robo_refer_data.language.varied import VARIED
from robo_refer_data.programs.catalogue import catalogue
from robo_refer_data.relations import listed  # noqa: F401 - registers them
from robo_refer_data.relations.registry import RELATIONS

_PLACES = (
    "left_of", "right_of", "front_of", "behind", "nearest_to", "farthest_from", "just_nearer",
    "on_top_of", "inside", "under", "second_nearest", "between", "free_left", "free_right",
    "free_front", "free_behind", "free_between", "free_on", "free_aligned",
)  # fmt: skip
"""Symbols whose alternatives begin with what they mean."""

_EXTREMES = ("most_", "more_", "superlative_", "word_")

_CANNOT_FIND = tuple(
    f"{cannot} {find}"
    for cannot in ("cannot", "can not", "can't", "cant", "couldn't", "couldnt")
    for find in ("find", "see", "spot", "locate")
)
"""What whoever looks for something says of it: "i cannot find the mug"."""

_POLITE = ("why don't you", "won't you", "can't you", "couldn't you", "wouldn't you")

_IDLE = (
    "in this scene", "in this picture", "in the scene", "in the picture", "on the table",
    "on the surface", "in front", "in line", "is it right that", "am i right that", "can you",
    "can i", "one can", "in colour", "look for", "i don't see", *_CANNOT_FIND, *_POLITE,
)  # fmt: skip
"""Phrases that hold a word of a relation, or a negation, but mean none by themselves."""

_MEASURES = {
    "height": ("how tall", "how high", "height", "tall", "high"),
    "width": ("how wide", "how broad", "width", "wide", "broad"),
    "length": ("how long", "length", "longest side", "largest extent", "long"),
    "distance": ("how far", "how far apart", "how far away", "distance", "distance between",
                 "distance from", "depth", "far apart", "far away", "at what depth"),
    "angle": ("angle", "angle between", "tilt", "tilted"),
    "turn": ("turn", "turned"),
    "count": ("how many", "number", "count"),
}  # fmt: skip
"""What may be asked for."""

_FORMATS = ("true or false", "yes or no")
_UNITS = {
    "metres": ("metres", "meters", "in metres", "in meters", "m"),
    "degrees": ("degrees", "in degrees"),
    "centimetres": ("centimetres", "centimeters", "cm", "in centimetres"),
    "feet": ("feet", "foot", "in feet"),
    "inches": ("inches", "inch", "in inches"),
}
_NOT = (
    "is", "are", "was", "were", "does", "do", "did", "has", "have", "had", "could", "would",
    "should", "must", "need", "ca", "wo", "ai",
)  # fmt: skip
"""What "n't" is written behind, or "nt" by people in a hurry."""

_NEGATIONS = (
    "not", "no", "none", "never", "neither", "nor", "nothing", "cannot", "without", "but",
    "but not", "except", "excluding", "other than", "apart from", "aside from", "besides",
    "rather than", "instead of", *(f"{verb}n't" for verb in _NOT), *(f"{verb}nt" for verb in _NOT),
)  # fmt: skip

_AND = re.compile(
    r"\bbut(?= (?!(?:the|an?|this|that|these|those|one|any)\b)"
    r"(?:[^.?!]|\.\d)*\b(?:too|also|as well)\b)"
)
"""A "but" that takes nothing out: "left of the can but behind the mug too"."""

_SLOT = re.compile(r"\{\w+\}")

SLOTS = (
    "name",
    "colour",
    "material",
    "rank",
    "side",
    "relation",
    "use",
    "part",
    "number",
    "option",
)
"""What a surface form leaves open."""


@dataclass(frozen=True)
class Mention:
    """Something that a text says.

    Attributes:
        slot: "name", "colour", "material", "rank", "side", "relation", "use", "part", "number",
            "measure", "unit", "option", "format" or "negation".
        meanings: what it may mean; two mentions agree if they share one.
    """

    slot: str
    meanings: frozenset[str]


def mentions(text: str) -> list[Mention]:
    """Return what a text says, in its order."""
    lexicon, pattern = _lexicon()
    found = []
    for match in pattern.finditer(_AND.sub("and", text.lower().replace("\u2019", "'"))):
        slot, meanings = lexicon.get(match[0], ("", frozenset({match[0]})))
        if match[0][0].isdigit():
            slot = "number"
        elif match[0][0] == "(":
            slot = "option"
        if slot != "idle":
            found.append(Mention(slot, meanings))
    return found


def same_meaning(first: str, second: str) -> bool:
    """Whether two texts say the same of the same things in the same order, as far as rules tell."""
    one, other = mentions(first), mentions(second)
    return len(one) == len(other) and all(
        a.slot == b.slot and bool(a.meanings & b.meanings) for a, b in zip(one, other, strict=True)
    )


def knows(name: str) -> bool:
    """Whether a name of an object is one of the rules' own."""
    return _lexicon()[0].get(name, ("",))[0] == "name"


def surface_form(text: str) -> str:
    """Return a text with what `mentions` finds replaced by its slot: "find the <name>"."""
    lexicon, pattern = _lexicon()

    def slot(match: re.Match[str]) -> str:
        kind = lexicon.get(match[0], ("number" if match[0][0].isdigit() else "option", None))[0]
        return f"<{kind}>" if kind in SLOTS else match[0]

    form = pattern.sub(slot, text.lower())
    # A description is one slot, however many words it takes.
    return re.sub(r"(<colour>|<material>) (?=<name>|object|thing|item)", "", form)


@cache
def _lexicon() -> tuple[dict[str, tuple[str, frozenset[str]]], re.Pattern[str]]:
    """Return {phrase: (slot, meanings)} and a pattern that finds the longest phrases first."""
    meanings: dict[str, set[str]] = defaultdict(set)
    slots: dict[str, str] = {}
    for slot, phrase, meaning in _entries():
        slots.setdefault(phrase, slot)
        meanings[phrase].add(meaning)
    lexicon = {phrase: (slots[phrase], frozenset(found)) for phrase, found in meanings.items()}
    phrases = sorted((re.escape(phrase) for phrase in lexicon), key=len, reverse=True)
    numbers = r"\d+(?:\.\d+)?|\([a-d]\)"
    return lexicon, re.compile(rf"\b(?:{'|'.join(phrases)})\b|{numbers}")


def _entries() -> Iterable[tuple[str, str, str]]:
    """Yield (slot, phrase, meaning)."""
    for phrase in _IDLE:
        yield "idle", phrase, phrase
    for use in USES:
        yield "use", use.done, use.done
    for entry in catalogue():
        for colour in entry.colours:
            yield "colour", colour, colour
        for said in (entry.name, *vocabulary.SYNONYMS.get(entry.name, ())):
            yield "name", said, entry.name
            yield "name", vocabulary.plural(said), entry.name
    for material in ("ceramic", "plastic", "metal", "wood", "glass", "paper", "rubber"):
        yield "material", material, material
    for material, adjective in vocabulary.MATERIAL_ADJECTIVES.items():
        yield "material", adjective, material
    for rank in vocabulary.RANKS[1:]:
        yield "rank", rank, rank
    for part in FRONTS.values():
        yield "part", part, part
    for words, slot in ((_MEASURES, "measure"), (_UNITS, "unit")):
        for meaning, phrases in words.items():
            for phrase in phrases:
                yield slot, phrase, meaning
    for phrase in _FORMATS:
        yield "format", phrase, phrase
    for word in _NEGATIONS:
        yield "negation", word, "not"
    for side in ("left", "right"):
        yield "side", side, side
        yield "side", f"{side}most", side
    yield "side", "front", "front"
    yield from _relations()


def _relations() -> Iterable[tuple[str, str, str]]:
    for name, relation in RELATIONS.items():
        if relation.form in ("pair", "single", "between"):
            for said in relation.says:
                yield "relation", said.format(support="table"), name
    for symbol in _PLACES:
        for text in VARIED[symbol]:
            yield "relation", text.split("{")[0].strip(), symbol.removeprefix("free_")
    for symbol in VARIED:
        if symbol.startswith(_EXTREMES):
            for text in VARIED[symbol]:
                said = _SLOT.sub(" ", text).replace("that is", " ").replace("the ", " ", 1)
                yield "relation", " ".join(said.split()), symbol.split("_", 1)[1]
