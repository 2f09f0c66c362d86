"""RoboRefIt (VL-Grasp, IROS 2023): cluttered tables, an expression and the box of what it means.

As published: `final_dataset/testA/roborefit_testA.json`, a list with num, text, bbox (left, top,
right, bottom in pixels) and rgb_path, depth_path, mask_path from the folder that holds
`final_dataset`, with backslashes. The unit of its depth is not published: it is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import BoxTruth, Item
from robo_refer_bench.suites.phrases import ASK_FOR_POINT, point_to


@dataclass(frozen=True)
class RoboRefIt:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "roborefit"
    title: str = "RoboRefIt"
    splits: tuple[str, ...] = ("testA", "testB")
    disjoint: tuple[str, ...] = ("testA", "testB")
    published_items: Mapping[str, int] = field(default_factory=dict)
    how_to_get: str = """\
Download and unpack the archive that https://github.com/luyh20/VL-Grasp links to (Google Drive);
DIR is the folder that holds final_dataset."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        path = root / "final_dataset" / split / f"roborefit_{split}.json"
        items: list[Item] = []
        for number, row in enumerate(reading.rows_of(reading.read_json(path), path)):
            where = f"Question {number} of {path}"
            picture = reading.inside(root, reading.text(row, "rgb_path", where), where)
            left, top, right, bottom = reading.numbers(row.get("bbox"), 4, where)
            phrase = reading.text(row, "text", where)
            items.append(
                Item(
                    id=str(number),
                    prompt=point_to(phrase),
                    truth=BoxTruth((left, top, right, bottom)),
                    load_frame=partial(reading.rgb_frame, picture),
                    target=phrase,
                    suffix=ASK_FOR_POINT,
                    picture=picture.name,
                )
            )
        return items


ROBOREFIT = RoboRefIt()
