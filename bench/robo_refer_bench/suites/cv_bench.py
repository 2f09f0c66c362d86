"""CV-Bench (arXiv:2406.16860): relations and counts in 2D, order and distance in depth.

On the hub: `test_2d.parquet` and `test_3d.parquet`, columns idx, task, image, question, choices,
answer ("(B)"), prompt (question and options), source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item

_FILES = {"Relation": "test_2d", "Count": "test_2d", "Depth": "test_3d", "Distance": "test_3d"}


@dataclass(frozen=True)
class CvBench:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "cv_bench"
    title: str = "CV-Bench"
    splits: tuple[str, ...] = tuple(_FILES)
    disjoint: tuple[str, ...] = tuple(_FILES)
    published_items: Mapping[str, int] = field(
        default_factory=lambda: {"Relation": 650, "Count": 788, "Depth": 600, "Distance": 600}
    )
    how_to_get: str = """\
hf download nyu-visionx/CV-Bench --repo-type dataset --local-dir DIR
Apache-2.0. DIR then holds test_2d.parquet and test_3d.parquet."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites import choices
        from robo_refer_bench.suites.parquet import parquet_files, read_rows

        files = parquet_files(root, _FILES[split])
        if not files:
            raise reading.bad_layout(f"{root} holds no {_FILES[split]}.parquet")
        items: list[Item] = []
        columns = ("idx", "task", "choices", "answer", "prompt")
        for row, path, number in read_rows(files, columns, ("source",)):
            where = f"Row {number} of {path}"
            if reading.text(row, "task", where) != split:
                continue
            truth = choices.truth_by_letter(
                reading.text(row, "answer", where), row["choices"] or (), where
            )
            tags = {"source": reading.text(row, "source", where, "")}
            items.append(
                choices.choice_item(
                    reading.text(row, "idx", where),
                    reading.text(row, "prompt", where),
                    truth,
                    choices.frame_in(path, number, "image"),
                    tags,
                    f"{path.name}/{number}",
                )
            )
        reading.unique_ids([item.id for item in items], root)
        return items


CV_BENCH = CvBench()
