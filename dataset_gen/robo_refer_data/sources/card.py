"""The card of a dataset of real frames: what it holds, and whose pictures they are."""

from __future__ import annotations

from pathlib import Path

from robo_refer_data.atomic import write_atomically
from robo_refer_data.sources.build import SourcePlan
from robo_refer_data.summary import Summary


def write_source_card(
    out: Path, plan: SourcePlan, summary: Summary, left_out: dict[str, int]
) -> None:
    """Write the dataset card (README.md); it grants no licence for pictures of others.

    Args:
        out: dataset folder.
        plan: what it was made of.
        summary: of it.
        left_out: why frames gave no sample -> how many did not.

    Raises:
        OSError: it cannot be written.
    """
    reasons = "".join(f"- {count} left out: {reason}\n" for reason, count in left_out.items())
    card = _CARD.format(
        kind=plan.kind,
        samples=summary.scenes.total(),
        frames=len(plan.frames),
        questions=summary.questions,
        seed=plan.seed,
        reasons=reasons,
        table="\n".join(summary.table()),
    )
    write_atomically(out / "README.md", card.encode())


_CARD = """---
configs:
- config_name: default
  data_files: data/*.parquet
license: other
task_categories:
- visual-question-answering
tags:
- robotics
- spatial-referring
---

# RoboRefer questions about real frames

{samples} of {frames} frames, {questions} questions, made by `robo-refer data source {kind}` with
seed {seed}. The pictures keep the licence of where they come from: this card grants none.

{reasons}
{table}
"""
