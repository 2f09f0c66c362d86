"""What a number of items can show: the interval of a score, and the smallest difference seen.

Two models are compared on the same items, or on other items of the same number (as when one score
is taken from a paper). Normal approximations; see Fleiss, Levin and Paik, "Statistical Methods for
Rates and Proportions", 3rd edition: chapter 4 for independent, chapter 13 for paired proportions.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics import wilson


@dataclass(frozen=True)
class Power:
    """What `n` items can show about two models that are about `share` right.

    Attributes:
        n, share, disagreement: the question; `disagreement` is the share of items that exactly one
            of the two gets right.
        low, high: 95 % Wilson interval of one model's score.
        unpaired: smallest true difference that is found significant (5 %, two-sided) with a chance
            of `chance`, when the other score is of other items.
        paired: the same on the same items, by McNemar's test.
        chance: the power.
    """

    n: int
    share: float
    disagreement: float
    low: float
    high: float
    unpaired: float
    paired: float
    chance: float

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready fields."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def power(n: int, share: float, disagreement: float = 0.3, chance: float = 0.8) -> Power:
    """Return what `n` items can show.

    Raises:
        RoboReferError: BAD_REQUEST for numbers that are no shares, or no items.
    """
    if n < 1 or not all(0 < value < 1 for value in (share, disagreement, chance)):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{n} items, {share}, {disagreement} and {chance} are not items and shares.",
            "Give at least one item, and shares between 0 and 1.",
        )
    interval = wilson(round(share * n), n)
    reach = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(chance)
    # Paired: the variance of a difference d is (disagreement - d^2) / n; solved for d.
    paired = math.sqrt(disagreement * reach**2 / (n + reach**2))
    return Power(
        n=n,
        share=share,
        disagreement=disagreement,
        low=interval.low,
        high=interval.high,
        unpaired=reach * math.sqrt(2 * share * (1 - share) / n),
        paired=min(paired, disagreement),
        chance=chance,
    )


def text(found: Power) -> str:
    """Return it as sentences."""
    return (
        f"{found.n} items, a score of {100 * found.share:.0f} %: "
        f"95 % interval {100 * found.low:.1f}-{100 * found.high:.1f}.\n"
        f"Found with {100 * found.chance:.0f} % power at the 5 % level: a true difference of "
        f"{100 * found.unpaired:.1f} points to a score on other items, of "
        f"{100 * found.paired:.1f} points on the same items "
        f"(if the two models disagree on {100 * found.disagreement:.0f} % of them)."
    )
