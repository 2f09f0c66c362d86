"""How varied the words of a dataset are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from robo_refer.data import read_samples
from robo_refer_data.language.meaning import surface_form

_WINDOW = 500  # words in which types are counted: longer texts have more types, but not per word


@dataclass(frozen=True)
class Variety:
    """How varied a family's questions are.

    Attributes:
        n: questions.
        texts: different texts.
        forms: different texts after names, colours, numbers and relations are replaced by slots.
        commonest: share of the commonest form.
        words: different words.
        words_per_text: mean length.
        type_token: different words per word, mean over windows of 500 words.
        pairs: different pairs of neighbouring words, per pair.
    """

    n: int
    texts: int
    forms: int
    commonest: float
    words: int
    words_per_text: float
    type_token: float
    pairs: float


def language_stats(path: Path) -> dict[str, Variety]:
    """Return the variety of every family of a dataset, by its name."""
    texts: dict[str, list[str]] = defaultdict(list)
    for sample in read_samples(path, columns=("questions",)):
        for question in sample.questions:
            texts[question.family].append(question.text)
    return {family: variety(found) for family, found in sorted(texts.items())}


def variety(texts: list[str]) -> Variety:
    """Return how varied some texts are; one at least."""
    split = [re.findall(r"[a-z]+", text.lower()) for text in texts]
    running = [word for text in split for word in text]
    windows = [running[i : i + _WINDOW] for i in range(0, len(running), _WINDOW)]
    windows = [window for window in windows if len(window) == _WINDOW] or [running]
    neighbours = [pair for text in split for pair in pairwise(text)]
    forms = Counter(surface_form(text) for text in texts)
    return Variety(
        n=len(texts),
        texts=len(set(texts)),
        forms=len(forms),
        commonest=round(forms.most_common(1)[0][1] / len(texts), 3),
        words=len(set(running)),
        words_per_text=round(len(running) / len(texts), 2),
        type_token=round(sum(len(set(w)) / max(len(w), 1) for w in windows) / len(windows), 3),
        pairs=round(len(set(neighbours)) / max(len(neighbours), 1), 3),
    )


def variety_table(stats: dict[str, Variety]) -> list[str]:
    """Return the lines of a Markdown table."""
    lines = [
        "| family | n | texts | forms | commonest form | words | words each | type-token | pairs |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in stats.items():
        lines.append(
            f"| {name} | {found.n} | {found.texts} | {found.forms} | {found.commonest:.1%} "
            f"| {found.words} | {found.words_per_text:.1f} | {found.type_token:.2f} "
            f"| {found.pairs:.2f} |"
        )
    return lines
