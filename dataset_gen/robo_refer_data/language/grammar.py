"""A grammar of small parts: one symbol, many ways to say it.

A grammar maps a symbol to its alternatives, in which `<symbol>` stands for another symbol and
`{slot}` for what the caller fills in. An alternative that is written twice is twice as likely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np

Grammar = Mapping[str, tuple[str, ...]]

_SYMBOL = re.compile(r"<(\w+)>")


def worded(
    grammar: Grammar, rng: np.random.Generator, symbol: str, *places: str, **slots: str
) -> str:
    """Return a random text of a symbol, with its slots filled, its spaces and stops single."""
    text = _expanded(grammar, rng, symbol).format(*places, **slots)
    return " ".join(text.split()).replace("?.", "?")


def joined(*grammars: Grammar) -> Grammar:
    """Return a grammar with the alternatives of all, in this order."""
    symbols = dict.fromkeys(symbol for grammar in grammars for symbol in grammar)
    return {
        symbol: tuple(text for grammar in grammars for text in grammar.get(symbol, ()))
        for symbol in symbols
    }


def _expanded(grammar: Grammar, rng: np.random.Generator, symbol: str) -> str:
    options = grammar[symbol]
    text = options[int(rng.random() * len(options))]
    if "<" not in text:
        return text
    return "".join(
        _expanded(grammar, rng, part) if odd else part for part, odd in _split(text) if part
    )


@cache
def _split(text: str) -> tuple[tuple[str, bool], ...]:
    """Return the literal parts and the symbols (marked True) of an alternative."""
    return tuple((part, number % 2 == 1) for number, part in enumerate(_SYMBOL.split(text)))
