"""How sure a score is: intervals for one model, tests for two on the same items."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError

_CHUNK = 256


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval."""

    estimate: float
    low: float
    high: float


def wilson(hits: int, count: int, confidence: float = 0.95) -> Interval:
    """Return a proportion with its Wilson score interval (Wilson 1927).

    Unlike the textbook +-z*sqrt(pq/n) it holds for few items and near 0 and 1. Of no items, the
    estimate is NaN and the interval all of [0, 1].

    Raises:
        RoboReferError: BAD_REQUEST when `hits` does not lie in 0..count.
    """
    if not 0 <= hits <= count:
        raise _bad(f"{hits} hits of {count} items are impossible")
    if count == 0:
        return Interval(math.nan, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = hits / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = (
        z
        / (1 + z * z / count)
        * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    )
    # Rounding must not push the interval past 0, 1 or the estimate itself.
    return Interval(share, max(0.0, min(centre - half, share)), min(1.0, max(centre + half, share)))


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Return the exact two-sided p-value that two models are equally often right.

    Only the items on which they differ count (McNemar 1947, exact binomial form). It treats items
    as independent; where several questions share an image, prefer `paired_bootstrap` by image.

    Raises:
        RoboReferError: BAD_REQUEST when the two are not of the same items.
    """
    _check_paired(first, second)
    # bool(): numpy's integers would overflow below.
    pairs = [(bool(a), bool(b)) for a, b in zip(first, second, strict=True)]
    only_first = sum(a and not b for a, b in pairs)
    only_second = sum(b and not a for a, b in pairs)
    differing = only_first + only_second
    tail = term = 1  # C(n, 0), then C(n, k) one after the other, in exact integers
    for k in range(1, min(only_first, only_second) + 1):
        term = term * (differing - k + 1) // k
        tail += term
    return min(1.0, float(2 * tail / 2**differing))


def paired_bootstrap(
    first: Sequence[float],
    second: Sequence[float],
    groups: Sequence[Hashable] | None = None,
    seed: int = 0,
    confidence: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Return mean(first) - mean(second) with its percentile bootstrap interval.

    Args:
        first: scores (or right/wrong) of one model, item by item.
        second: scores of another on the same items.
        groups: what items are drawn together by, such as the image they ask about: answers about
            one image are not independent. None draws single items.
        seed: the same seed gives the same interval.
        confidence: share of resamples inside the interval.
        resamples: how many datasets of the same size to draw.

    Raises:
        RoboReferError: BAD_REQUEST when the two are not of the same items, or empty.
    """
    _check_paired(first, second)
    if len(first) == 0 or (groups is not None and len(groups) != len(first)):
        raise _bad(f"{len(first)} items cannot be resampled")
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    sums, counts = _by_group(difference, groups)
    rng = np.random.default_rng(seed)
    means: list[NDArray[np.float64]] = []
    for start in range(0, resamples, _CHUNK):
        rows = min(_CHUNK, resamples - start)
        drawn = rng.integers(0, len(sums), (rows, len(sums)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    outside = (1 - confidence) / 2
    low, high = np.quantile(np.concatenate(means), (outside, 1 - outside))
    return Interval(float(difference.mean()), float(low), float(high))


def _by_group(
    values: NDArray[np.float64], groups: Sequence[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum and number of the values of every group."""
    if groups is None:
        return values, np.ones_like(values)
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(group, len(numbers)) for group in groups]
    sums = np.bincount(index, weights=values).astype(np.float64)
    return sums, np.bincount(index).astype(np.float64)


def _check_paired(first: Sequence[float], second: Sequence[float]) -> None:
    if len(first) != len(second):
        raise _bad(f"{len(first)} and {len(second)} scores are not of the same items")


def _bad(problem: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_REQUEST, f"{problem}.", "Compare scores item by item on the same items."
    )
