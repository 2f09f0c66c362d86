"""RoboSpatial-Home (arXiv:2411.16537): free places in homes (context), and yes or no.

On the hub: `data/context-*.parquet` and so on, columns category, question, answer, img,
depth_image, mask. The answer to `context` is a polygon in [0, 1], as text; as in the suite's own
evaluator, a point in the polygon is right. The unit of its depth is not published: it is not read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import ChoiceTruth, Item, PolygonTruth

_YES_NO = ("yes", "no")
_PAIR = re.compile(r"\(\s*([-+.\deE]{1,25})\s*,\s*([-+.\deE]{1,25})\s*\)")


@dataclass(frozen=True)
class RoboSpatialHome:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "robospatial_home"
    title: str = "RoboSpatial-Home"
    splits: tuple[str, ...] = ("context", "compatibility", "configuration")
    disjoint: tuple[str, ...] = ("context", "compatibility", "configuration")
    published_items: Mapping[str, int] = field(
        default_factory=lambda: {"context": 122, "compatibility": 105, "configuration": 123}
    )
    how_to_get: str = """\
hf download chanhee-luke/RoboSpatial-Home --repo-type dataset --local-dir DIR
Apache-2.0."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites.choices import frame_in
        from robo_refer_bench.suites.parquet import parquet_files, read_rows

        files = parquet_files(root, split)
        if not files:
            raise reading.bad_layout(f"{root} holds no data/{split}-*.parquet")
        return [
            Item(
                id=f"{path.stem}/{number}" if len(files) > 1 else str(number),
                prompt=reading.text(row, "question", f"Row {number} of {path}"),
                truth=_truth(
                    reading.text(row, "answer", f"Row {number} of {path}"),
                    f"Row {number} of {path}",
                ),
                load_frame=frame_in(path, number, "img"),
                picture=f"{path.name}/{number}",
            )
            for row, path, number in read_rows(files, ("question", "answer"))
        ]


def _truth(answer: str, where: str) -> ChoiceTruth | PolygonTruth:
    if answer.strip().lower() in _YES_NO:
        return ChoiceTruth(_YES_NO, _YES_NO.index(answer.strip().lower()))
    corners = [reading.numbers(pair, 2, where) for pair in _PAIR.findall(answer)]
    if len(corners) < 3:
        raise reading.bad_item(
            where, f"its answer {answer[:60]!r} is neither yes, no nor a polygon"
        )
    return PolygonTruth(tuple((x, y) for x, y in corners))


ROBOSPATIAL_HOME = RoboSpatialHome()
