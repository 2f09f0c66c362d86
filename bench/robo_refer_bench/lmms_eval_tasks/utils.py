"""RefSpatial-Bench in lmms-eval, asked and scored as 'robo-refer bench' does.

lmms-eval imports this file by its path. How the model writes points is named by the environment
variable ROBO_REFER_FAMILY, one of `robo_refer.parsing.FAMILIES` ("roborefer" by default).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from robo_refer.parsing import Task, family
from robo_refer_bench.families import RELEASED
from robo_refer_bench.records import Record
from robo_refer_bench.scoring import official, strict
from robo_refer_bench.suites.base import Item, MaskTruth
from robo_refer_bench.suites.bitmask import BitMask

Doc = Mapping[str, Any]


def doc_to_visual(doc: Doc) -> list[Any]:
    """Return the picture."""
    return [doc["image"].convert("RGB")]


def doc_to_text(doc: Doc) -> str:
    """Return the question as the family is asked."""
    return family(_family()).prompt(Task(doc["prompt"], doc["object"], doc["suffix"]))


def process_results(doc: Doc, results: Sequence[str]) -> dict[str, float | None]:
    """Return the score by either mode; None where the released script leaves the answer out."""
    mask = BitMask.of(np.asarray(doc["mask"]))
    item = Item(str(doc["id"]), doc["prompt"], MaskTruth(lambda: mask), _no_frame)
    record = Record(
        suite="refspatial_bench",
        split="",
        id=item.id,
        model="",
        family=_family(),
        prompt="",
        raw_answer=results[0] if results else "",
        image_size=doc["image"].size,
    )
    found: dict[str, float | None] = {"refspatial_strict": strict(record, item).score}
    if record.family in RELEASED:
        verdict = official(record, item)
        found["refspatial_official"] = verdict.score if verdict.counted else None
    else:
        found["refspatial_official"] = None
    return found


def mean_of_counted(scores: Sequence[float | None]) -> float:
    """Return the mean of what is in the denominator; NaN of nothing."""
    counted = [score for score in scores if score is not None]
    return float(np.mean(counted)) if counted else float("nan")


def _family() -> str:
    return os.environ.get("ROBO_REFER_FAMILY", "roborefer")


def _no_frame() -> Any:
    raise NotImplementedError("lmms-eval shows the picture itself")
