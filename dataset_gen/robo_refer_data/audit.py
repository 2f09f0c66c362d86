"""Shortcut audit: how often questions are answered without reading them, or without depth.

For every kind (and half) it measures rules that look at the picture only, and a blind classifier,
against chance. Chance is the mean over questions of 1 / (number of admissible targets): where the
question names its candidates ("which is nearer, the mug or the bowl") these; else, for kinds with
an anchor, the objects that answer at least one admissible question of that kind in that scene (a
guesser may know the relation but not the anchor); for kinds without an anchor, all objects (the
objects of its name, where it names one). A rule picks among the same objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from robo_refer.data.sample import Question
from robo_refer.types import FloatArray
from robo_refer_data.observation import Observation
from robo_refer_data.programs.kinds import KINDS
from robo_refer_data.programs.sampling import Sampler
from robo_refer_data.programs.scene import Scene
from robo_refer_data.relations import Facts

GEOMETRIC_IN_THE_IMAGE = {
    "nth_left": "counts positions in the image, by definition",
    "nth_right": "counts positions in the image, by definition",
    "biggest": "things that are larger look larger, at any one distance",
    "smallest": "things that are smaller look smaller, at any one distance",
    "tallest": "things that are taller look larger, at any one distance",
    "shortest": "things that are shorter look smaller, at any one distance",
    "taller_of": "as tallest",
    "bigger_of": "as biggest",
}
"""Kinds that the picture alone may answer in part, and why: reported, not judged."""

AUDITED = ("object", "reasoning")
"""Families that no rule may answer better than chance. Of the family `relation`, whose answers lean
to one side by definition (what is left of something is rarely the rightmost), `blind_stats` tells
how far rules get."""

RULES = ("lowest", "highest", "central", "largest", "smallest", "leftmost", "rightmost")
_WITHOUT_ANCHOR = ("nth_left", "nth_right", "nth_front", "nearest_camera", "farthest_camera",
                   "biggest", "smallest", "tallest", "shortest")  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One question as a blind guesser sees it.

    Attributes:
        scene: which scene it is about.
        features: (candidates, features) what is seen of every candidate.
        target: which candidate is right.
        objects: how many objects the scene has.
    """

    scene: int
    features: FloatArray
    target: int
    objects: int


@dataclass(frozen=True)
class Row:
    """The audit of one kind in one half.

    Attributes:
        n: questions.
        chance: see the module.
        error: standard error of an accuracy whose expectation is chance.
        accuracy: of every rule, of a "random object" of the scene, and of "classifier" (on the
            scenes that it was not trained on; absent if there are too few questions).
        n_classifier: questions that the classifier was tested on.
        chance_classifier, error_classifier: chance and its standard error on these.
    """

    kind: str
    half: str
    n: int
    chance: float
    error: float
    accuracy: dict[str, float] = field(default_factory=dict)
    n_classifier: int = 0
    chance_classifier: float = 0.0
    error_classifier: float = 0.0

    @property
    def judged(self) -> bool:
        """Whether the kind must not be answerable from the picture alone."""
        return self.kind not in GEOMETRIC_IN_THE_IMAGE and not self.kind.startswith("direct")

    def exceeding(self) -> list[str]:
        """Return the rules that do better than chance + 3 standard errors."""
        limit = self.chance + 3 * self.error
        found = [rule for rule in RULES if self.accuracy[rule] > limit]
        limit = self.chance_classifier + 3 * self.error_classifier
        if self.accuracy.get("classifier", 0.0) > limit:
            found.append("classifier")
        return found


def audit(
    asked: Sequence[tuple[Observation, Sequence[Question]]], min_train: int = 60
) -> list[Row]:
    """Return one row per kind and half of the families in AUDITED.

    Args:
        asked: scenes and their questions.
        min_train: fewest questions of a kind on which the classifier is trained.
    """
    cases: dict[tuple[str, str], list[Case]] = {}
    for number, (observation, questions) in enumerate(asked):
        view = _View(observation)
        for question in questions:
            if question.family in AUDITED:
                case = view.case(number, question)
                cases.setdefault((question.kind, observation.half), []).append(case)
    return [_row(kind, half, found, min_train) for (kind, half), found in sorted(cases.items())]


class _View:
    """What is seen of one scene's objects without depth, names or question."""

    def __init__(self, observation: Observation) -> None:
        self._facts = Facts(observation)
        # Admissible targets do not depend on the generator's state.
        self._sampler = Sampler(Scene(observation), np.random.default_rng(0))

    def case(self, scene: int, question: Question) -> Case:
        """Return the question as a choice among its candidates."""
        among = self._candidates(question)
        target = self._facts.index_of[question.target_ids[0]]
        return Case(scene, _features(self._facts, among), among.index(target), self._facts.n)

    def _candidates(self, question: Question) -> list[int]:
        facts = self._facts
        if "candidates" in question.tags:
            return sorted(facts.index_of[id_] for id_ in question.tags["candidates"])
        if question.kind in _WITHOUT_ANCHOR or question.kind.startswith("direct"):
            return list(range(facts.n))
        if question.kind not in KINDS:
            raise ValueError(f"The kind '{question.kind}' is not known.")
        target = facts.index_of[question.target_ids[0]]
        return sorted({target, *self._sampler.candidates(question.kind)})


def _features(facts: Facts, among: list[int]) -> FloatArray:
    """(k, 3 + 3 + 2) position, log area, their ranks among the candidates, centrality, count."""
    x, y, area = facts.u[among], facts.v[among], np.log(facts.area[among])
    ranks = [np.argsort(np.argsort(values)) / max(len(among) - 1, 1) for values in (x, y, area)]
    central = np.hypot(x - 0.5, y - 0.5)
    return np.stack([x, y, area, *ranks, central, np.full(len(among), len(among) / 10)], axis=1)


def _row(kind: str, half: str, cases: list[Case], min_train: int) -> Row:
    chances = np.array([1 / len(case.features) for case in cases])
    accuracy = {rule: float(np.mean([_score(rule, case) for case in cases])) for rule in RULES}
    accuracy["random object"] = float(np.mean([1 / case.objects for case in cases]))
    train = [case for case in cases if case.scene % 2 == 0]
    test = [case for case in cases if case.scene % 2 == 1]
    if len(train) < min_train or len(test) < min_train:
        return Row(kind, half, len(cases), float(chances.mean()), _error(chances), accuracy)
    weights = _train(train)
    hits = [int(np.argmax(_scores(weights, case.features))) == case.target for case in test]
    accuracy["classifier"] = float(np.mean(hits))
    tested = np.array([1 / len(case.features) for case in test])
    return Row(
        kind, half, len(cases), float(chances.mean()), _error(chances), accuracy,
        len(test), float(tested.mean()), _error(tested),
    )  # fmt: skip


def _error(chances: FloatArray) -> float:
    """Standard error of the mean of independent hits with these probabilities."""
    return float(np.sqrt((chances * (1 - chances)).sum()) / len(chances))


def _score(rule: str, case: Case) -> float:
    """Return 1 if a rule picks the target, else 0."""
    x, y, area, central = (case.features[:, column] for column in (0, 1, 2, 6))
    value = {
        "lowest": y, "highest": -y, "central": -central, "largest": area, "smallest": -area,
        "leftmost": -x, "rightmost": x,
    }[rule]  # fmt: skip
    return float(int(np.argmax(value)) == case.target)


_HIDDEN, _ROUNDS, _RATE, _DECAY = 16, 300, 0.02, 1e-3

Weights = tuple[FloatArray, FloatArray, FloatArray]


def _scores(weights: Weights, features: FloatArray) -> FloatArray:
    first, bias, second = weights
    return np.tanh(features @ first + bias) @ second


def _train(cases: list[Case]) -> Weights:
    """Train a small perceptron that scores candidates: softmax over each question's, Adam."""
    rng = np.random.default_rng(0)
    stacked = np.concatenate([case.features for case in cases])
    owner = np.repeat(np.arange(len(cases)), [len(case.features) for case in cases])
    starts = np.cumsum([0, *(len(case.features) for case in cases[:-1])])
    wanted = np.zeros(len(stacked))
    wanted[starts + [case.target for case in cases]] = 1
    centre = stacked.mean(axis=0)
    scale = np.maximum(stacked.std(axis=0), 1e-6)
    inputs = (stacked - centre) / scale
    weights = [rng.normal(0, 0.3, (inputs.shape[1], _HIDDEN)), np.zeros(_HIDDEN),
               rng.normal(0, 0.3, _HIDDEN)]  # fmt: skip
    mean = [np.zeros_like(w) for w in weights]
    square = [np.zeros_like(w) for w in weights]
    for round_ in range(1, _ROUNDS + 1):
        hidden = np.tanh(inputs @ weights[0] + weights[1])
        exponent = np.exp(np.clip(hidden @ weights[2], -30, 30))
        share = exponent / np.add.reduceat(exponent, starts)[owner]
        slope = (share - wanted) / len(cases)
        back = np.outer(slope, weights[2]) * (1 - hidden**2)
        gradients = [inputs.T @ back, back.sum(axis=0), hidden.T @ slope]
        for i, gradient in enumerate(gradients):
            decayed = gradient + _DECAY * weights[i]
            mean[i] = 0.9 * mean[i] + 0.1 * decayed
            square[i] = 0.99 * square[i] + 0.01 * decayed**2
            corrected = mean[i] / (1 - 0.9**round_)
            spread = np.sqrt(square[i] / (1 - 0.99**round_)) + 1e-8
            weights[i] = weights[i] - _RATE * corrected / spread
    # Fold the normalisation into the first layer.
    first = weights[0] / scale[:, None]
    return first, weights[1] - centre @ first, weights[2]


def table(rows: Sequence[Row]) -> str:
    """Return the audit as a Markdown table, one row per kind and half."""
    head = ["kind", "half", "n", "random object", "chance", "+3 SE", *RULES, "classifier"]
    head.append("verdict")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        blind = row.accuracy.get("classifier")
        verdict = ", ".join(row.exceeding()) or "ok"
        cells = [row.kind, row.half, str(row.n),
                 f"{row.accuracy['random object']:.3f}", f"{row.chance:.3f}",
                 f"{row.chance + 3 * row.error:.3f}",
                 *(f"{row.accuracy[rule]:.3f}" for rule in RULES),
                 "-" if blind is None else f"{blind:.3f}",
                 verdict if row.judged else f"not judged ({verdict})"]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
