"""What the words give away: how often an answer is right that follows from the text alone.

A linear classifier of words and pairs of words learns on one half of the scenes what is
mostly answered to such a text, and answers the other half: a reply, a number, a place in the image,
or that nothing is there. It never sees a picture.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from robo_refer.data import Question, read_samples
from robo_refer.data.sample import POINTING, SPOKEN
from robo_refer.metrics import score_answer, wilson
from robo_refer.types import Answer, FloatArray

LIMIT, ABOVE_CHANCE = 0.40, 0.10
"""A family is given away if guesses are surely right more often than LIMIT, and than its chance
plus ABOVE_CHANCE (two replies are guessed in half of the cases by anybody)."""

MOST_SCENES = 1000
"""Scenes looked at: enough for intervals of a few points."""

PRESENT_OR_ABSENT = "present or absent"
"""Whether there is anything to point to, told apart in all questions that are answered by pointing:
the mean of both kinds' shares."""

_MOST_WORDS, _ROUNDS, _RATE, _DECAY = 1500, 200, 0.3, 1e-4  # of the classifier

_COLUMNS_OF_CELLS, _ROWS_OF_CELLS = 6, 4
_STEP = {"m": 1.2, "degrees": 1.2}  # ratio of two neighbouring numbers that may be guessed


@dataclass(frozen=True)
class Prior:
    """How often the text alone is answered right.

    Attributes:
        n: questions that were guessed.
        share: of them that were guessed right, with its 95 % Wilson interval.
        low, high: the interval.
        commonest: share that one and the same answer gets right.
        chance: share that a coin or die gets right; 0 where there are no given options.
    """

    n: int
    share: float
    low: float
    high: float
    commonest: float
    chance: float

    @property
    def gives_away(self) -> bool:
        """Whether this is more than it may be, beyond chance."""
        return self.low > max(LIMIT, self.chance + ABOVE_CHANCE)


def language_prior(path: Path, most_scenes: int = MOST_SCENES) -> dict[str, Prior]:
    """Return the control of every family that a dataset has enough questions of, by its name."""
    asked: dict[str, tuple[list[Question], list[Question]]] = defaultdict(lambda: ([], []))
    samples = islice(read_samples(path, columns=("questions",)), most_scenes)
    samples = islice(read_samples(path, columns=("questions",)), most_scenes)
    for number, sample in enumerate(samples):
        learnt = number // 2 % 2  # halves of scenes take turns: both shall be on both sides
        for question in sample.questions:
            asked[question.family][learnt].append(question)
    priors = {
        family: prior(*asked[family])
        for family in (*POINTING, *SPOKEN)
        if family != "absent" and all(asked[family])
    }
    train, test = ([q for name in POINTING for q in asked[name][half]] for half in (0, 1))
    told = _present_or_absent(train, test)
    return priors if told is None else {**priors, PRESENT_OR_ABSENT: told}


def prior(train: Sequence[Question], test: Sequence[Question]) -> Prior:
    """Return how often questions of one family are guessed right, after learning from others."""
    labels = [_label(question) for question in train]
    values = _values(train, labels)
    guess = word_classifier([question.text for question in train], labels)
    right = [_is_right(question, values[guess(question.text)]) for question in test]
    often = Counter(labels).most_common(1)[0][0]
    commonest = np.mean([_is_right(question, values[often]) for question in test])
    chances = [float(question.tags.get("chance", 0)) for question in test]
    if test[0].family == "yes_no":
        chances = [0.5]
    return _found(sum(right), len(right), float(commonest), float(np.mean(chances)))


def _found(hits: float, n: int, commonest: float, chance: float) -> Prior:
    found = wilson(round(hits), n)
    return Prior(n, round(hits / n, 4), found.low, found.high, round(commonest, 4), chance)


def _present_or_absent(train: Sequence[Question], test: Sequence[Question]) -> Prior | None:
    halves = [[q.family == "absent" for q in questions] for questions in (train, test)]
    if not all(any(half) and not all(half) for half in halves):
        return None
    labels = ["absent" if absent else "present" for absent in halves[0]]
    guess = word_classifier([question.text for question in train], labels, even=True)
    shares = []
    for wanted in ("absent", "present"):
        pairs = zip(test, halves[1], strict=True)
        among = [question for question, absent in pairs if absent == (wanted == "absent")]
        shares.append(np.mean([guess(question.text) == wanted for question in among]))
    n = sum(halves[1])  # the rarer kind says how sure this is
    return _found(float(np.mean(shares)) * n, n, 0.5, 0.5)


def _label(question: Question) -> str:
    """Return what a classifier learns to answer."""
    if question.family == "numeric":
        value = max(float(question.tags["value"]), 0.01)
        return str(round(np.log(value) / np.log(_STEP[question.tags["unit"]])))
    if question.reply:
        return ",".join(question.tags["true"]) if question.family == "fact" else question.reply
    x, y = question.answer.points[0]
    return f"{int(x * _COLUMNS_OF_CELLS)} {int(y * _ROWS_OF_CELLS)}"


def _values(train: Sequence[Question], labels: Sequence[str]) -> dict[str, Question | FloatArray]:
    """Return, per label, what is answered: the mean number or place, else the label's questions."""
    members: dict[str, list[Question]] = defaultdict(list)
    for question, label in zip(train, labels, strict=True):
        members[label].append(question)
    return {label: _answer(found) for label, found in members.items()}


def _answer(found: list[Question]) -> Question | FloatArray:
    if found[0].family == "numeric":
        return np.array(np.median([question.tags["value"] for question in found]))
    if found[0].reply:
        return found[0]
    return np.mean([question.answer.points[0] for question in found], axis=0)


def _is_right(question: Question, answer: Question | FloatArray) -> bool:
    if isinstance(answer, Question):
        return _label(question) == _label(answer)
    if question.family == "numeric":
        value, tolerance = float(question.tags["value"]), float(question.tags["tolerance"])
        allowed = tolerance * value if question.tags["unit"] == "m" else tolerance
        return abs(float(answer) - value) <= allowed
    x, y = (float(value) for value in answer)
    return bool(score_answer(Answer(((x, y),)), question))


def word_classifier(
    texts: Sequence[str], labels: Sequence[str], *, even: bool = False
) -> Callable[[str], str]:
    """Return a classifier of texts: softmax regression on which words and pairs of words occur.

    Args:
        texts, labels: to learn from.
        even: let all labels count the same, however common they are.
    """
    names = sorted(set(labels))
    often = Counter(word for text in texts for word in _words(text))
    words = {word: i for i, (word, n) in enumerate(often.most_common(_MOST_WORDS)) if n >= 2}
    seen = np.array([_occurrence(text, words) for text in texts], np.float32)
    wanted = np.array([[label == name for name in names] for label in labels], np.float32)
    share = 1 / wanted.sum(axis=0) if even else np.full(len(names), 1 / len(labels), np.float32)
    importance = (wanted * share).sum(axis=1, keepdims=True)
    importance /= importance.sum()
    weights = np.zeros((seen.shape[1], len(names)), np.float32)
    step = np.zeros_like(weights)
    for _ in range(_ROUNDS):
        odds = np.exp(np.clip(seen @ weights, -30, 30))
        error = (odds / odds.sum(axis=1, keepdims=True) - wanted) * importance
        slope = seen.T @ error + _DECAY * weights
        step = 0.9 * step - _RATE * slope  # one rate for all: a common word outweighs rare ones
        weights += step

    def guess(text: str) -> str:
        return names[int((_occurrence(text, words) @ weights).argmax())]

    return guess


def _occurrence(text: str, words: dict[str, int]) -> NDArray[np.float32]:
    """Return which words occur, and a one."""
    found = np.zeros(len(words) + 1, np.float32)
    found[[words[word] for word in _words(text) if word in words]] = 1
    found[-1] = 1
    return found


def _words(text: str) -> set[str]:
    found = re.findall(r"[a-z]+|\([a-d]\)", text.lower())
    return {*found, *(" ".join(pair) for pair in pairwise(found))}


def prior_table(priors: dict[str, Prior]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [
        "| family | n | guessed | 95 % | one answer | chance |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, found in priors.items():
        mark = " (!)" if found.gives_away else ""
        chance = f"{found.chance:.2f}" if found.chance else "-"
        lines.append(
            f"| {name} | {found.n} | {found.share:.2f}{mark} | {found.low:.2f}-{found.high:.2f} "
            f"| {found.commonest:.2f} | {chance} |"
        )
    return lines
