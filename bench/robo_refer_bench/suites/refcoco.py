"""RefCOCO, RefCOCO+ and RefCOCOg: a point in the box of what an expression names.

As on the hub: `RefCOCO/data/val-*.parquet` and so on, columns question_id, image, answer (the
expressions), bbox (left, top, width, height in pixels), file_name. Every expression is one item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import BoxTruth, Item
from robo_refer_bench.suites.phrases import ASK_FOR_POINT, point_to

_SPLITS = {
    "refcoco_val": ("RefCOCO", "val"),
    "refcoco_testA": ("RefCOCO", "testA"),
    "refcoco_testB": ("RefCOCO", "testB"),
    "refcoco+_val": ("RefCOCOplus", "val"),
    "refcoco+_testA": ("RefCOCOplus", "testA"),
    "refcoco+_testB": ("RefCOCOplus", "testB"),
    "refcocog_val": ("RefCOCOg", "val"),
    "refcocog_test": ("RefCOCOg", "test"),
}


@dataclass(frozen=True)
class RefCoco:
    """The suite; see `base.Suite` for the attributes.

    The three share images, so no two of their splits are pooled.
    """

    name: str = "refcoco"
    title: str = "RefCOCO, RefCOCO+, RefCOCOg"
    splits: tuple[str, ...] = tuple(_SPLITS)
    disjoint: tuple[str, ...] = ()
    published_items: Mapping[str, int] = field(default_factory=dict)
    how_to_get: str = """\
for name in RefCOCO RefCOCOplus RefCOCOg; do
    hf download lmms-lab/$name --repo-type dataset --local-dir DIR/$name
done
Images from COCO, under its terms. This edition merges expressions and is not of the size of the
original: say so when you compare with published numbers."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites.parquet import parquet_files, read_rows

        folder, part = _SPLITS[split]
        files = parquet_files(root / folder, part)
        if not files:
            raise reading.bad_layout(f"{root / folder} holds no data/{part}-*.parquet")
        items: list[Item] = []
        for row, path, number in read_rows(files, ("answer", "bbox"), ("file_name",)):
            items += _expressions(row, path, number)
        return items


def _expressions(row: Mapping[str, Any], path: Path, number: int) -> list[Item]:
    from robo_refer_bench.suites.choices import frame_in

    where = f"Row {number} of {path}"
    left, top, width, height = reading.numbers(row["bbox"], 4, where)
    phrases = row["answer"] if isinstance(row["answer"], list) else [row["answer"]]
    if not phrases or not all(isinstance(phrase, str) for phrase in phrases):
        raise reading.bad_item(where, "it has no expressions")
    return [
        Item(
            id=f"{path.stem}/{number}/{index}",
            prompt=point_to(phrase),
            truth=BoxTruth((left, top, left + width, top + height)),
            load_frame=frame_in(path, number, "image"),
            target=phrase,
            suffix=ASK_FOR_POINT,
            picture=reading.text(row, "file_name", where, f"{path.stem}/{number}"),
        )
        for index, phrase in enumerate(phrases)
    ]


REFCOCO = RefCoco()
