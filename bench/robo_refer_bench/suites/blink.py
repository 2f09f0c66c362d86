"""BLINK (arXiv:2404.12390): relative depth and spatial relation, the validation part.

On the hub: `Relative_Depth/val-00000-of-00001.parquet` and so on, columns idx, prompt (question
and options), image_1, choices, answer ("(B)").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item


@dataclass(frozen=True)
class Blink:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "blink"
    title: str = "BLINK"
    splits: tuple[str, ...] = ("Relative_Depth", "Spatial_Relation")
    disjoint: tuple[str, ...] = ("Relative_Depth", "Spatial_Relation")
    published_items: Mapping[str, int] = field(
        default_factory=lambda: {"Relative_Depth": 124, "Spatial_Relation": 143}
    )
    how_to_get: str = """\
hf download BLINK-Benchmark/BLINK --repo-type dataset --local-dir DIR \\
    --include "Relative_Depth/*" "Spatial_Relation/*"
Apache-2.0. The answers of the test part are not public: val is scored."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites import choices
        from robo_refer_bench.suites.parquet import parquet_files, read_rows

        files = parquet_files(root / split, "val")
        if not files:
            raise reading.bad_layout(f"{root / split} holds no val-*.parquet")
        items: list[Item] = []
        for row, path, number in read_rows(files, ("idx", "prompt", "choices", "answer")):
            where = f"Row {number} of {path}"
            items.append(
                choices.choice_item(
                    reading.text(row, "idx", where),
                    reading.text(row, "prompt", where),
                    choices.truth_by_letter(
                        reading.text(row, "answer", where), row["choices"] or (), where
                    ),
                    choices.frame_in(path, number, "image_1"),
                    {},
                    f"{path.name}/{number}",
                )
            )
        reading.unique_ids([item.id for item in items], root)
        return items


BLINK = Blink()
