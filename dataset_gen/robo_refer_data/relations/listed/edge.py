"""The relation `edge`."""

from __future__ import annotations

import cv2
import numpy as np

from robo_refer_data.relations.facts import Facts
from robo_refer_data.relations.registry import UNSURE, YES, Truth, beyond, relation

AT_M, AWAY_M = 0.04, 0.12


@relation(
    "edge",
    "single",
    "world",
    ("at the edge of the {support}", "on the edge of the {support}"),
    margin="between 4 and 12 cm from the edge",
    example="what is at the edge of the table?",
)
def decide(facts: Facts) -> Truth:
    """The object stands on the table and its footprint comes within 4 cm of the table's edge. It
    does not, where 12 cm are free.
    """
    outline = facts.observation.table_outline
    if outline is None:
        return np.full(facts.n, UNSURE, np.int8)
    polygon = outline[:, :2].astype(np.float32)
    free = [
        min(cv2.pointPolygonTest(polygon, (float(x), float(y)), True) for x, y in points[:8, :2])
        for points in facts.box_points
    ]
    truth = beyond(-np.array(free), -AT_M, -AWAY_M)
    truth[(truth == YES) & ~facts.on_table] = UNSURE
    return truth
