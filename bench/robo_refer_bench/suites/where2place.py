"""Where2Place (arXiv:2406.10721): free places on tables and shelves, 100 photographs.

On the hub as a folder: `point_questions.jsonl` (question_id, image, text with the words about the
format), `images/` and `masks/00.jpg ...`, numbered as the lines. Masks are JPEG, so their edges are
grey: what is lighter than half is inside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import cv2

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item, MaskTruth
from robo_refer_bench.suites.bitmask import BitMask

_HALF = 127


@dataclass(frozen=True)
class Where2Place:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "where2place"
    title: str = "Where2Place"
    splits: tuple[str, ...] = ("test",)
    disjoint: tuple[str, ...] = ("test",)
    published_items: Mapping[str, int] = field(default_factory=lambda: {"test": 100})
    how_to_get: str = """\
hf download wentao-yuan/where2place --repo-type dataset --local-dir DIR
Apache-2.0."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items; see `base.Suite.items`."""
        path = root / "point_questions.jsonl"
        items: list[Item] = []
        for number, row in enumerate(reading.rows_of(reading.read_json_lines(path), path)):
            where = f"Line {number + 1} of {path}"
            picture = reading.inside(root / "images", reading.text(row, "image", where), where)
            mask = root / "masks" / f"{number:02d}.jpg"
            reading.check_same_view(reading.file_head(picture), reading.file_head(mask), where)
            items.append(
                Item(
                    id=reading.text(row, "question_id", where, str(number)),
                    prompt=reading.text(row, "text", where),
                    truth=MaskTruth(partial(_mask, mask)),
                    load_frame=partial(reading.rgb_frame, picture),
                    tags={"category": reading.text(row, "category", where, "")},
                    picture=picture.name,
                )
            )
        reading.unique_ids([item.id for item in items], path)
        return items


def _mask(path: Path) -> BitMask:
    grey = reading.decode(reading.read_bytes(path), cv2.IMREAD_GRAYSCALE, str(path))
    return BitMask.of(grey > _HALF)


WHERE2PLACE = Where2Place()
