"""What rewards share: a smooth ramp over an error, and one-to-one matching of lists."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

SPRAY_FACTOR = 3
"""A list this many times as long as the truth's is not an answer but an attempt to hit."""


def ramp(error: float, full: float, zero: float) -> float:
    """Return 1 up to an error of `full`, 0 from `zero` on, half a cosine between.

    Source: Reason-RFT (arXiv:2503.20752), its reward of numbers, with 0.05 and 0.20.
    """
    if error <= full:
        return 1.0
    if not error < zero:  # also NaN
        return 0.0
    return 0.5 * (math.cos(math.pi * (error - full) / (zero - full)) + 1.0)


def matched_pairs(scores: NDArray[np.float64]) -> list[tuple[int, float]]:
    """Return (row, score) of the one-to-one matching with the largest sum (Hungarian)."""
    rows, columns = linear_sum_assignment(scores, maximize=True)
    return list(zip(rows.tolist(), scores[rows, columns].tolist(), strict=True))


def matched(scores: NDArray[np.float64]) -> float:
    """Return the largest sum of a one-to-one matching of (written, true) scores."""
    return sum(score for _, score in matched_pairs(scores))


def matched_share(scores: NDArray[np.float64]) -> float:
    """Return the mean score of a one-to-one matching, whatever is left over counting as 0.

    A guess more divides by one more: over the choice of a guess that is never worth it. A list
    more than `SPRAY_FACTOR` times as long as the truth earns nothing at all, because a reward
    scaled by a group's spread would make much of its crumbs.

    Args:
        scores: (written, true) in [0, 1]; there is at least one true.
    """
    written, true = scores.shape
    if written > SPRAY_FACTOR * true:
        return 0.0
    return matched(scores) / max(written, true)
