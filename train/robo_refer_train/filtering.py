"""Which items are worth practising: those that the policy solves sometimes, not always or never.

Rollout-based instance filtering (arXiv:2507.05386): an item whose answers are all right or all
wrong teaches a group-relative method nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from robo_refer.errors import ErrorCode, RoboReferError


@dataclass(frozen=True)
class Probe:
    """How a policy does on an item.

    Attributes:
        key: the sample's id and the number of the question.
        kind: of the question.
        answers: how many were sampled.
        solved: share of them that were right.
        mean, variance: of their rewards.
    """

    key: str
    kind: str
    answers: int
    solved: float
    mean: float
    variance: float


def read_probes(path: Path) -> Iterator[Probe]:
    """Yield the probes in a file; a line cut off by a kill at its end is left out.

    Raises:
        RoboReferError: BAD_FILE when the file is missing, or holds other things.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
        for line in lines[:-1]:
            yield Probe(**json.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"{path} is not a file of probed items: {' '.join(str(error).split())}.",
            "Make it with 'robo-refer train filter'.",
        ) from error


def worth_practising(path: Path) -> set[str]:
    """Return the keys of the items that were solved sometimes; raises as `read_probes`."""
    return {probe.key for probe in read_probes(path) if 0 < probe.solved < 1}
