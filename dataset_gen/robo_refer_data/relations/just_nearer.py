"""just_nearer: the next object nearer to the camera than the anchor.

Definition: by median visible depth, the one just before the anchor in the order from the camera.
Asked only if it is 5 % nearer than the anchor, nothing else lies within 5 % of the anchor, and the
next one is another 5 % nearer.
"""

from __future__ import annotations

import numpy as np

from robo_refer_data.relations.facts import Facts, IntArray
from robo_refer_data.relations.outcome import AMBIGUOUS, EMPTY

MARGIN = 0.05
"""In log depth: about 5 %."""


def just_nearer(facts: Facts) -> IntArray:
    """For every object as anchor: the object just nearer to the camera, AMBIGUOUS or EMPTY."""
    result = np.full(facts.n, AMBIGUOUS)
    for anchor in range(facts.n):
        offset = np.log(facts.depth[anchor] / facts.depth)
        offset[anchor] = np.inf
        if (np.abs(offset) < MARGIN).any():
            continue
        nearer = np.where(offset > 0, offset, np.inf)
        order = np.argsort(nearer)
        if not np.isfinite(nearer[order[0]]):
            result[anchor] = EMPTY if len(facts.unlisted_ids) == 0 else AMBIGUOUS
        elif nearer[order[1]] - nearer[order[0]] >= MARGIN:
            result[anchor] = order[0]
    return result
