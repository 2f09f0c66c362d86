"""Which questions of each kind a scene allows: a list of programs per possible target.

Anchors are left open (`Known`); they are described when a question is drawn. Sampling draws the
target first, uniformly, and only then a program: whatever is guessed from the picture alone is
then right no more often than a uniform guess among the kind's possible targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

from robo_refer_data.programs import spots
from robo_refer_data.programs.candidates import Candidates, grouped
from robo_refer_data.programs.scene import Scene
from robo_refer_data.programs.types import (
    ANY,
    AnyProgram,
    Between,
    Compare,
    Filter,
    Known,
    Ordinal,
    Relate,
    Standing,
    Superlative,
)
from robo_refer_data.relations.extremes import extreme
from robo_refer_data.relations.free_space import SIDES
from robo_refer_data.relations.registry import RELATIONS

MAX_RANK = 5
MOST_STEPS = 5
"""Of reasoning (paper, section 3: up to five)."""

COMPOSED = (
    "left_of", "right_of", "front_of", "behind", "nearest_to", "farthest_from", "just_nearer",
    "on_top_of", "under",
)  # fmt: skip
_PAIRS = tuple(name for name, item in RELATIONS.items() if item.form == "pair")
TRUE_OF = tuple(name for name, item in RELATIONS.items() if item.form in ("pair", "single"))
"""Relations that an object can be told by: the others are measures, or have an operation."""

DESCRIBING = (
    "left_of", "right_of", "front_of", "behind", "nearest_to", "between", "nth_left", "nth_right",
    "nth_front", "nearest_camera", "farthest_camera", "biggest", "smallest", "tallest", "shortest",
)  # fmt: skip
"""Kinds whose programs may describe an anchor inside another question."""

ALL_DESCRIBING = (
    *DESCRIBING, "relation_second_nearest", "farthest_from", "just_nearer", "on_top_of",
    "inside", "under", *(f"relation_{name}" for name in TRUE_OF),
)  # fmt: skip
"""The same for reasoning, where every relation may."""


@dataclass(frozen=True)
class Kind:
    """A question kind.

    Attributes:
        build: the programs that a scene allows, per target.
        depth: how its anchors are described: 0 by their attributes, 1 by one relation,
            ordinal or superlative, 2 by two of them, and so on.
        family: of its questions.
        describing: kinds whose programs may describe its anchors.
        name: the `kind` of its questions, where it differs from its key in KINDS.
        least: fewest possible targets in a scene: with only one, the anchor need not be read.
    """

    build: Callable[[Scene], Candidates]
    depth: int = 0
    name: str = ""
    least: int = 1
    family: str = "object"
    describing: tuple[str, ...] = DESCRIBING


def _direct(choose: Callable[[Filter], bool]) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        return grouped(
            [
                (index, wanted)
                for index, filters in enumerate(scene.references)
                for wanted in filters
                if choose(wanted)
            ]
        )

    return build


def _related(*names: str, described: bool = True) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        pairs: list[tuple[int, AnyProgram]] = []
        for name in names:
            for anchor, target in enumerate(scene.relation(name)):
                if target >= 0 and (scene.references[anchor] or not described):
                    program = Relate(name, Known(anchor))
                    # Twice as likely where the neighbour in the image is the wrong answer.
                    misleading = _misleads(name, anchor, target, scene)
                    pairs += [(target, program)] * (2 if misleading else 1)
        return grouped(pairs)

    return build


def _misleads(name: str, anchor: int, target: int, scene: Scene) -> bool:
    """Whether the object nearest in the image (on the right side) is not the answer."""
    if name not in ("left_of", "right_of", "nearest_to"):
        return False
    u, distance = scene.facts.u, scene.facts.image_distance[anchor]
    sign = {"left_of": -1.0, "right_of": 1.0, "nearest_to": 0.0}[name]
    others = [i for i in range(scene.n) if i != anchor and sign * (u[i] - u[anchor]) >= 0]
    return min(others, key=lambda i: float(distance[i])) != target


def _groups(scene: Scene) -> list[Filter]:
    """All objects, and the names that several objects share."""
    shared = [Filter(name=name) for name in dict.fromkeys(scene.facts.names)]
    return [ANY, *(wanted for wanted in shared if len(scene.matching(wanted)) > 1)]


def _ordinal(axis: str) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        pairs: list[tuple[int, AnyProgram]] = []
        for group in _groups(scene):
            among = scene.matching(group)
            if len(among) < 2:
                continue
            order, safe = scene.ordered(axis, group)
            for rank in safe:
                # The first from the front is what nearest_camera asks.
                if rank <= MAX_RANK and (rank > 1 or axis != "front"):
                    pairs.append((order[rank - 1], Ordinal(axis, rank, group)))
        return grouped(pairs)

    return build


def _superlative(attribute: str) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        found = [
            (extreme(scene.facts, attribute, scene.matching(group)), Superlative(attribute, group))
            for group in _groups(scene)
        ]
        return grouped([(target, program) for target, program in found if target >= 0])

    return build


def _compare(attribute: str) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        described = [index for index in range(scene.n) if scene.references[index]]
        pairs: list[tuple[int, AnyProgram]] = []
        for first, second in combinations(described, 2):
            target = extreme(scene.facts, attribute, (first, second))
            if target >= 0:
                pairs.append((target, Compare(attribute, Known(first), Known(second))))
        return grouped(pairs)

    return build


def _between(scene: Scene) -> Candidates:
    return grouped(
        [
            (target, Between(Known(first), Known(second)))
            for (first, second), target in scene.between.items()
            if scene.references[first] and scene.references[second]
        ]
    )


def _standing(*names: str, described: bool = True) -> Callable[[Scene], Candidates]:
    def build(scene: Scene) -> Candidates:
        pairs: list[tuple[int, AnyProgram]] = []
        for name in names:
            alone = RELATIONS[name].form == "single"
            for group in scene.groups:
                for anchor, target in enumerate(scene.standing(name, group)):
                    if target >= 0 and (alone or scene.references[anchor] or not described):
                        to = None if alone else Known(anchor)
                        pairs.append((target, Standing(name, group, to)))
        return grouped(pairs)

    return build


def _reasoned(scene: Scene) -> Candidates:
    """Every relation to an anchor that is yet to be described."""
    related = _related(*COMPOSED, "second_nearest", described=False)(scene)
    standing = _standing(*_PAIRS, described=False)(scene)
    return {
        target: [*related.get(target, []), *standing.get(target, [])]
        for target in sorted({*related, *standing})
    }


KINDS: dict[str, Kind] = {
    "direct_name": Kind(_direct(lambda f: not f.colour and not f.material)),
    "direct_colour": Kind(_direct(lambda f: bool(f.colour) and not f.name)),
    "direct_colour_name": Kind(_direct(lambda f: bool(f.colour) and bool(f.name))),
    "direct_material": Kind(_direct(lambda f: bool(f.material))),
    "left_of": Kind(_related("left_of"), least=2),
    "right_of": Kind(_related("right_of"), least=2),
    "front_of": Kind(_related("front_of"), least=2),
    "behind": Kind(_related("behind"), least=2),
    "nearest_to": Kind(_related("nearest_to"), least=2),
    "farthest_from": Kind(_related("farthest_from"), least=2),
    "just_nearer": Kind(_related("just_nearer"), least=2),
    "on_top_of": Kind(_related("on_top_of")),
    "inside": Kind(_related("inside")),
    "under": Kind(_related("under")),
    "between": Kind(_between, least=2),
    "nth_left": Kind(_ordinal("left")),
    "nth_right": Kind(_ordinal("right")),
    "nth_front": Kind(_ordinal("front")),
    "nearest_camera": Kind(_superlative("nearest_camera")),
    "farthest_camera": Kind(_superlative("farthest_camera")),
    "biggest": Kind(_superlative("biggest")),
    "smallest": Kind(_superlative("smallest")),
    "tallest": Kind(_superlative("tallest")),
    "shortest": Kind(_superlative("shortest")),
    "nearer_of": Kind(_compare("nearest_camera"), least=2),
    "taller_of": Kind(_compare("tallest"), least=2),
    "bigger_of": Kind(_compare("biggest"), least=2),
    "free_left_of": Kind(spots.beside("left"), family="free_space"),
    "free_right_of": Kind(spots.beside("right"), family="free_space"),
    "free_front_of": Kind(spots.beside("front"), family="free_space"),
    "free_behind": Kind(spots.beside("behind"), family="free_space"),
    "free_between": Kind(spots.free_between, family="free_space"),
    "two_step": Kind(_related(*COMPOSED, described=False), depth=1, least=2),
    "three_step": Kind(_related(*COMPOSED, described=False), depth=2, least=2),
    "free_two_step": Kind(
        spots.beside(*SIDES, described=False), depth=1, name="two_step", family="free_space"
    ),
    "place_on": Kind(spots.on_top, family="placement"),
    "place_facing": Kind(spots.facing(True), family="placement"),
    "place_apart": Kind(spots.apart(True), family="placement"),
    "place_both": Kind(spots.both(True), family="placement"),
    "place_aligned": Kind(spots.aligned(True), family="placement"),
    "place_reasoned": Kind(
        spots.placements, depth=1, family="placement", describing=ALL_DESCRIBING
    ),
    "relation_second_nearest": Kind(_related("second_nearest"), least=2, family="relation"),
    **{f"relation_{name}": Kind(_standing(name), least=2, family="relation") for name in TRUE_OF},
    **{
        f"reasoning_{steps}": Kind(
            _reasoned, depth=steps - 1, least=2, family="reasoning", describing=ALL_DESCRIBING
        )
        for steps in range(2, MOST_STEPS + 1)
    },
}
"""Every kind that has an answer, by the key of the weight table."""
