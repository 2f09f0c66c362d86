"""What the words of a dataset give away: variety, and how often a reply follows from them alone."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from robo_refer.data import read_samples
from robo_refer.metrics import Interval, wilson

CLOSED = ("yes_no", "choice", "counting")
"""Families whose replies are few enough to be guessed."""


@dataclass(frozen=True)
class Variety:
    """How varied a family's questions are.

    Attributes:
        n: questions.
        texts: different texts.
        openings: different first three words.
        words: different words.
        words_per_text: mean length.
    """

    n: int
    texts: int
    openings: int
    words: int
    words_per_text: float


@dataclass(frozen=True)
class Prior:
    """How often the reply is guessed from the text alone, on texts that were not trained on.

    Attributes:
        n: questions guessed.
        accuracy: of a naive Bayes classifier over words, with its 95 % Wilson interval.
        commonest: accuracy of always giving the commonest reply.
    """

    n: int
    accuracy: Interval
    commonest: float


def language_stats(path: Path) -> dict[str, dict[str, Any]]:
    """Return `Variety`, and `Prior` for closed families, of every family of a dataset."""
    texts: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    for number, sample in enumerate(read_samples(path, columns=("questions",))):
        for question in sample.questions:
            texts[question.family].append((number, question.text, question.reply))
    stats: dict[str, dict[str, Any]] = {}
    for family, found in sorted(texts.items()):
        stats[family] = asdict(variety([text for _, text, _ in found]))
        guessed = prior(found) if family in CLOSED else None
        if guessed:
            stats[family]["text_only"] = asdict(guessed)
    return stats


def variety(texts: list[str]) -> Variety:
    """Return how varied some texts are."""
    split = [_words(text) for text in texts]
    words = {word for text in split for word in text}
    openings = {tuple(text[:3]) for text in split}
    mean = sum(map(len, split)) / max(len(split), 1)
    return Variety(len(texts), len(set(texts)), len(openings), len(words), round(mean, 2))


def prior(asked: Iterable[tuple[int, str, str]]) -> Prior | None:
    """Return how often the reply is guessed from the text; (scene, text, reply) each.

    Trained on the even scenes, tested on the odd ones; None where either has no question.
    """
    asked = list(asked)
    train = [(text, reply) for scene, text, reply in asked if scene % 2 == 0]
    test = [(text, reply) for scene, text, reply in asked if scene % 2 == 1]
    if not train or not test:
        return None
    guess = _naive_bayes(train)
    hits = sum(guess(text) == reply for text, reply in test)
    replies = Counter(reply for _, reply in train)
    commonest = sum(reply == replies.most_common(1)[0][0] for _, reply in test)
    n = len(test)
    return Prior(n, wilson(hits, n), commonest / n)


def _naive_bayes(train: list[tuple[str, str]]) -> Any:
    replies = Counter(reply for _, reply in train)
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for text, reply in train:
        words[reply].update(set(_words(text)))

    def guess(text: str) -> str:
        def score(reply: str) -> float:
            total = replies[reply]
            found = (math.log((words[reply][w] + 1) / (total + 2)) for w in set(_words(text)))
            return math.log(total) + sum(found)

        return max(replies, key=score)

    return guess


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())
