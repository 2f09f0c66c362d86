"""Makes small datasets without the renderer, with rows that need not be right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from robo_refer.data import Question, Sample, shard_path
from robo_refer.data.records import to_row
from robo_refer.data.schema import SCHEMA
from robo_refer_data.plan import GENERATOR_VERSION, Plan
from robo_refer_data.questions import ask
from tests.dataset_gen.made_scenes import made_scene

PLAN = Plan(scenes=4, seed=7, width=160, height=120, questions=12)


def made_sample(plan: Plan, index: int) -> Sample:
    """Make a sample of boxes on a table, as `generate.make_sample` does with the renderer."""
    seed = 1000 * plan.seed + index
    seen = made_scene(seed, plan.scene_half(index), plan.width, plan.height)
    questions = ask(seen, np.random.default_rng(seed), plan.questions, plan.families)
    meta = {"seed": plan.seed, "index": index, "scene_seed": seed, "half": seen.half}
    return Sample(
        f"s{plan.seed}-{index:06d}",
        seen.rgb,
        seen.depth_m,
        seen.camera,
        seen.objects,
        questions,
        "made",
        meta,
    )


def made_samples(plan: Plan = PLAN) -> list[Sample]:
    return [made_sample(plan, index) for index in range(plan.scenes)]


def write_rows(folder: Path, rows: Sequence[dict[str, Any]], plan: Plan = PLAN) -> Path:
    """Write rows as they are: the writer of the package refuses what is wrong."""
    path = shard_path(folder, 0)
    path.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SCHEMA), path)
    manifest = {"generator": GENERATOR_VERSION, **plan.as_manifest(), "scenes_per_shard": 8}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def write_samples(folder: Path, samples: Sequence[Sample]) -> Path:
    return write_rows(folder, [to_row(sample) for sample in samples])


def with_question(sample: Sample, number: int, **changes: Any) -> Sample:
    """Return the sample with one of its questions changed."""
    questions = list(sample.questions)
    questions[number] = replace(questions[number], **changes)
    return replace(sample, questions=tuple(questions))


def find(sample: Sample, wanted: Any) -> tuple[int, Question]:
    """Return the first question for which `wanted(question)` holds, and its number."""
    return next((n, q) for n, q in enumerate(sample.questions) if wanted(q))
