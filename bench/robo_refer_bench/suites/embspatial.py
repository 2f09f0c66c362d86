"""EmbSpatial-Bench (arXiv:2406.05756): six spatial relations in embodied scenes.

On the hub as one file of JSON, `embspatial_bench.json`: a list with question_id, question,
relation, data_source, answer_options, answer (0-based) and image (base64). All pictures are in
memory as text while it is used, about 250 MB.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from robo_refer.types import Frame
from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item


@dataclass(frozen=True)
class EmbSpatial:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "embspatial"
    title: str = "EmbSpatial-Bench"
    splits: tuple[str, ...] = ("test",)
    disjoint: tuple[str, ...] = ("test",)
    published_items: Mapping[str, int] = field(default_factory=lambda: {"test": 3640})
    how_to_get: str = """\
hf download Phineas476/EmbSpatial-Bench embspatial_bench.json --repo-type dataset --local-dir DIR
CC-BY-4.0."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        from robo_refer_bench.suites import choices

        path = root / "embspatial_bench.json"
        items: list[Item] = []
        for number, row in enumerate(reading.rows_of(reading.read_json(path), path)):
            where = f"Question {number} of {path}"
            options = row.get("answer_options")
            if not isinstance(options, list):
                raise reading.bad_item(where, "it has no list 'answer_options'")
            name = reading.text(row, "question_id", where)
            items.append(
                choices.choice_item(
                    name,
                    choices.with_options(reading.text(row, "question", where), options),
                    choices.truth_by_number(reading.whole(row, "answer", where), options, where),
                    partial(_frame, reading.text(row, "image", where), where),
                    {
                        "relation": reading.text(row, "relation", where, ""),
                        "source": reading.text(row, "data_source", where, ""),
                    },
                    name,
                )
            )
        reading.unique_ids([item.id for item in items], path)
        return items


def _frame(encoded: str, where: str) -> Frame:
    try:
        data = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise reading.bad_image(where, "has a picture that is not base64") from error
    return Frame(reading.decode_rgb(data, where))


EMBSPATIAL = EmbSpatial()
