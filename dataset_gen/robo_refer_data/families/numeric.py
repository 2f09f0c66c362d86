"""How far, how large, at what angle: a number with its unit.

Replies are right within `TOLERANCE` of the truth (the paper's 15 % for sizes), or 5 degrees. They
are written with as many digits as leave room for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from robo_refer.data.sample import Question
from robo_refer.types import FloatArray
from robo_refer_data.families.teller import Teller
from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import RELATIONS

TOLERANCE, TOLERANCE_DEG = 0.15, 5.0
SMALL_M, ROUNDING = 0.1, 0.025
_MOST_DECIMALS = 6  # a micrometre: what is smaller is nothing


@dataclass(frozen=True)
class Measure:
    """A number that can be asked for.

    Attributes:
        values: (n,) for one object or (n, n) for two; NaN where it is not asked.
        unit: "m" or "degrees".
        nouns: what it is called: "the distance between {0} and {1}".
        clauses: how it is asked for inside a sentence: "how far {0} is from {1}".
        questions: and by itself, without the question mark.
    """

    values: Callable[[Facts], FloatArray]
    unit: str
    nouns: tuple[str, ...]
    clauses: tuple[str, ...]
    questions: tuple[str, ...]


def _listed(name: str) -> Callable[[Facts], FloatArray]:
    def values(facts: Facts) -> FloatArray:
        numbers: FloatArray = RELATIONS[name].decide(facts)
        return numbers

    return values


MEASURES: dict[str, Measure] = {
    "depth": Measure(
        _listed("depth"),
        "m",
        ("the distance from the camera to {0}", "the depth of {0}"),
        ("how far {0} is from the camera", "how far away {0} is"),
        ("how far is {0} from the camera", "how far away is {0}", "at what depth is {0}"),
    ),
    "distance": Measure(
        _listed("distance"),
        "m",
        ("the distance between {0} and {1}", "the distance from {0} to {1}"),
        ("how far {0} is from {1}", "how far apart {0} and {1} are"),
        ("how far is {0} from {1}", "how far apart are {0} and {1}"),
    ),
    "tall": Measure(
        lambda facts: np.asarray(facts.heights),
        "m",
        ("the height of {0}",),
        ("how tall {0} is", "how high {0} reaches from bottom to top"),
        ("how tall is {0}", "how high does {0} reach from bottom to top"),
    ),
    "wide": Measure(
        lambda facts: facts.widths,
        "m",
        ("the width of {0} as seen from here",),
        ("how wide {0} is from this side",),
        ("how wide is {0} from this side", "how broad is {0} as seen from here"),
    ),
    "big": Measure(
        lambda facts: np.asarray(facts.extents),
        "m",
        ("the largest extent of {0}", "the length of the longest side of {0}"),
        ("how long {0} is along its longest side",),
        ("how long is {0} along its longest side",),
    ),
    "angle": Measure(
        _listed("angle"),
        "degrees",
        ("the angle between {0} and {1}, seen from the camera",),
        ("how far the camera must turn from {0} to {1}",),
        ("how far must the camera turn from {0} to {1}",),
    ),
    "rotation_horizontal": Measure(
        _listed("rotation_horizontal"),
        "degrees",
        ("the angle between the front of {0} and the direction to the camera",),
        ("how far {0} is turned away from the camera",),
        ("how far is {0} turned away from the camera",),
    ),
    "rotation_vertical": Measure(
        _listed("rotation_vertical"),
        "degrees",
        ("the angle between {0} and the vertical", "the tilt of {0}"),
        ("how far {0} is tilted",),
        ("how far is {0} tilted",),
    ),
}


class Numeric:
    """Asks them about one scene."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        known = teller.describable()
        self._values = {
            name: measure.values(teller.scene.facts) for name, measure in MEASURES.items()
        }
        self._left: dict[str, list[tuple[int, ...]]] = {}
        for name, values in self._values.items():
            places = [tuple(int(i) for i in place) for place in np.argwhere(np.isfinite(values))]
            found = [p for p in places if set(p) <= set(known) and list(p) == sorted(set(p))]
            if found:
                self._left[name] = found

    def draw(self) -> Question | None:
        """Return another question, or None."""
        teller = self._teller
        while self._left:
            name = teller.one(list(self._left))
            places = self._left[name]
            place = places.pop(int(teller.rng.integers(len(places))))
            if not places:
                del self._left[name]
            phrases = [phrase for index in place if (phrase := teller.describe(index))]
            if len(phrases) < len(place):
                continue
            value, unit = float(self._values[name][place]), MEASURES[name].unit
            text = self._text(MEASURES[name], *phrases)
            reply = metres(value) if unit == "m" else f"{value:.0f} degrees"
            tolerance = TOLERANCE if unit == "m" else TOLERANCE_DEG
            return teller.question(
                "numeric", name, text, reply, place, value=value, unit=unit, tolerance=tolerance
            )
        return None

    def _text(self, measure: Measure, *phrases: str) -> str:
        teller = self._teller
        form = teller.one(("noun", "clause", "question"))
        said = teller.one(getattr(measure, f"{form}s")).format(*phrases)
        unit = "metres" if measure.unit == "m" else measure.unit
        return teller.worded(f"numeric_{form}", said=said, unit=unit)


def metres(length_m: float) -> str:
    """Return a length with its unit: "0.24 m".

    Below `SMALL_M` it has three decimals, and more where rounding would be off by more than
    `ROUNDING` of the length: "0.0145 m".
    """
    if length_m >= SMALL_M:
        return f"{length_m:.2f} m"
    decimals = 3
    while decimals < _MOST_DECIMALS and 0.5 * 10**-decimals > ROUNDING * length_m:
        decimals += 1
    return f"{length_m:.{decimals}f} m"
