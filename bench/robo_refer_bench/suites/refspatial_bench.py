"""RefSpatial-Bench and its extension (arXiv:2506.04308, section 4.1).

Two published forms: Parquet on the hub (`data/location-00000-of-00001.parquet`, columns id, image,
mask, object, prompt, suffix, step), and folders (`Location/{question.json, image/, mask/}`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from robo_refer.types import Frame
from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item, MaskTruth
from robo_refer_bench.suites.mask_files import MASKS, decode_mask, mask_file

_COLUMNS = ("id", "object", "prompt", "suffix", "step")
_OPTIONAL = ("scene", "category")


@dataclass(frozen=True)
class RefSpatial:
    """A suite in the layout of RefSpatial-Bench; see `base.Suite` for the attributes."""

    name: str
    title: str
    splits: tuple[str, ...]
    disjoint: tuple[str, ...]
    published_items: Mapping[str, int]
    how_to_get: str
    tags: tuple[str, ...] = field(default=_OPTIONAL)

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites.parquet import parquet_files

        folder = root / split
        if (folder / "question.json").is_file():
            found = _from_folder(folder)
        elif files := parquet_files(root, split.lower()):
            found = _from_parquet(files)
        else:
            raise reading.bad_layout(
                f"{root} holds neither {split}/question.json nor data/{split.lower()}-*.parquet"
            )
        reading.unique_ids([item.id for item in found], root)
        return found


def _from_folder(folder: Path) -> list[Item]:
    path = folder / "question.json"
    items: list[Item] = []
    for number, row in enumerate(reading.rows_of(reading.read_json(path), path)):
        where = f"Question {number} of {path}"
        picture = reading.inside(folder, reading.text(row, "rgb_path", where), where)
        mask = reading.inside(folder, reading.text(row, "mask_path", where), where)
        reading.check_same_view(reading.file_head(picture), reading.file_head(mask), where)
        items.append(
            _item(
                row, where, MaskTruth(mask_file(mask)), partial(reading.rgb_frame, picture),
                f"{folder.name}/{picture.name}",
            )
        )  # fmt: skip
    return items


def _from_parquet(files: Sequence[Path]) -> list[Item]:
    from robo_refer_bench.suites.parquet import read_rows

    items: list[Item] = []
    for row, path, number in read_rows(files, (*_COLUMNS,), _OPTIONAL):
        where = f"Row {number} of {path}"
        truth = MaskTruth(partial(_mask_in, path, number))
        load = partial(_frame_in, path, number)
        items.append(_item(row, where, truth, load, f"{path.name}/{number}"))
    return items


def _item(row: Mapping[str, Any], where: str, truth: MaskTruth, load: Any, picture: str) -> Item:
    return Item(
        id=reading.text(row, "id", where),
        prompt=reading.text(row, "prompt", where),
        truth=truth,
        load_frame=load,
        target=reading.text(row, "object", where),
        suffix=reading.text(row, "suffix", where),
        steps=reading.whole(row, "step", where),
        tags={name: str(row[name]) for name in _OPTIONAL if row.get(name) is not None},
        picture=picture,
    )


def _frame_in(path: Path, row: int) -> Frame:
    from robo_refer_bench.suites.parquet import picture_bytes

    return Frame(reading.decode_rgb(picture_bytes(path, row, "image"), f"Row {row} of {path}"))


def _mask_in(path: Path, row: int) -> Any:
    from robo_refer_bench.suites.parquet import picture_bytes

    return MASKS.get(
        (str(path), path.stat().st_mtime_ns, row),
        lambda: decode_mask(picture_bytes(path, row, "mask"), f"Row {row} of {path}"),
    )


REFSPATIAL_BENCH = RefSpatial(
    name="refspatial_bench",
    title="RefSpatial-Bench",
    splits=("Location", "Placement", "Unseen"),
    # The 77 of Unseen are among the other 200.
    disjoint=("Location", "Placement"),
    published_items={"Location": 100, "Placement": 100, "Unseen": 77},
    how_to_get="""\
hf download BAAI/RefSpatial-Bench --repo-type dataset --local-dir DIR
Apache-2.0. DIR then holds data/location-*.parquet ..., or, from the archive beside them,
Location/, Placement/ and Unseen/ with question.json, image/ and mask/. Both are read.""",
)

REFSPATIAL_EXPAND = RefSpatial(
    name="refspatial_expand_bench",
    title="RefSpatial-Expand-Bench",
    splits=("Location", "Placement"),
    disjoint=("Location", "Placement"),
    published_items={"Location": 241, "Placement": 200},
    how_to_get="""\
hf download JingkunAn/RefSpatial-Expand-Bench --repo-type dataset --local-dir DIR
The layout of RefSpatial-Bench, with one more field: scene (indoor or outdoor).""",
)
