"""A hash of what a suite asks and of what is right, by which two copies of it are compared.

Pictures are not part of it: the same picture may be stored in several ways.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from robo_refer_bench.suites.base import Item, MaskTruth, PlaceTruth, Truth


class Digest:
    """Takes in items one by one, so that each mask is read once for the hash and the score."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, item: Item) -> None:
        """Take in one item: id, prompt, suffix, target, steps and truth."""
        words = (item.id, item.prompt, item.suffix, item.target or item.hashed, str(item.steps))
        self._hash.update("\0".join([*words, _words(item.truth)]).encode())

    def hex(self) -> str:
        """Return 16 hex digits."""
        return self._hash.hexdigest()[:16]


def content_hash(items: Iterable[Item]) -> str:
    """Return the hash of some items, in their order."""
    digest = Digest()
    for item in items:
        digest.add(item)
    return digest.hex()


def _words(truth: Truth) -> str:
    if isinstance(truth, MaskTruth):
        return f"mask {truth.load().digest.hex()}"
    return truth.rule if isinstance(truth, PlaceTruth) else repr(truth)
