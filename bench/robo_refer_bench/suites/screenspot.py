"""ScreenSpot-v2 (arXiv:2410.23218) and ScreenSpot-Pro (arXiv:2504.07981): a point in a widget.

As on the hub. v2: `screenspot_{mobile,desktop,web}_v2.json` (img_filename, instruction, bbox as
left, top, width, height, data_type, data_source) and `screenspotv2_image/`. Pro:
`annotations/*.json` (id, img_filename, instruction, bbox as left, top, right, bottom, img_size,
ui_type, group) and `images/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import BoxTruth, Item
from robo_refer_bench.suites.phrases import ASK_FOR_POINT

_V2_SPLITS = ("mobile", "desktop", "web")


@dataclass(frozen=True)
class ScreenSpotV2:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "screenspot_v2"
    title: str = "ScreenSpot-v2"
    splits: tuple[str, ...] = _V2_SPLITS
    disjoint: tuple[str, ...] = _V2_SPLITS
    published_items: Mapping[str, int] = field(
        default_factory=lambda: {"mobile": 501, "desktop": 334, "web": 437}
    )
    how_to_get: str = """\
hf download OS-Copilot/ScreenSpot-v2 --repo-type dataset --local-dir DIR
unzip DIR/screenspotv2_image.zip -d DIR"""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a split; see `base.Suite.items`."""
        path = root / f"screenspot_{split}_v2.json"
        items: list[Item] = []
        for number, row in enumerate(reading.rows_of(reading.read_json(path), path)):
            where = f"Question {number} of {path}"
            left, top, width, height = reading.numbers(row.get("bbox"), 4, where)
            box = (left, top, left + width, top + height)
            tags = ("data_type", "data_source")
            items.append(
                _item(str(number), row, root / "screenspotv2_image", BoxTruth(box), tags, where)
            )
        return items


@dataclass(frozen=True)
class ScreenSpotPro:
    """The suite; see `base.Suite` for the attributes."""

    name: str = "screenspot_pro"
    title: str = "ScreenSpot-Pro"
    splits: tuple[str, ...] = ("test",)
    disjoint: tuple[str, ...] = ("test",)
    published_items: Mapping[str, int] = field(default_factory=lambda: {"test": 1581})
    how_to_get: str = """\
hf download likaixin/ScreenSpot-Pro --repo-type dataset --local-dir DIR
MIT. DIR then holds annotations/ and images/."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of all applications; see `base.Suite.items`."""
        files = sorted((root / "annotations").glob("*.json"))
        if not files:
            raise reading.bad_layout(f"{root} holds no annotations/*.json")
        items: list[Item] = []
        for path in files:
            for number, row in enumerate(reading.rows_of(reading.read_json(path), path)):
                where = f"Question {number} of {path}"
                left, top, right, bottom = reading.numbers(row.get("bbox"), 4, where)
                width, height = reading.numbers(row.get("img_size"), 2, where)
                truth = BoxTruth((left, top, right, bottom), (int(width), int(height)))
                name = reading.text(row, "id", where, f"{path.stem}_{number}")
                tags = ("application", "group", "ui_type")
                items.append(_item(name, row, root / "images", truth, tags, where))
        reading.unique_ids([item.id for item in items], root)
        return items


def _item(
    name: str,
    row: Mapping[str, Any],
    images: Path,
    truth: BoxTruth,
    tags: Sequence[str],
    where: str,
) -> Item:
    picture = reading.inside(images, reading.text(row, "img_filename", where), where)
    instruction = reading.text(row, "instruction", where)
    return Item(
        id=name,
        prompt=instruction,
        truth=truth,
        load_frame=partial(reading.rgb_frame, picture),
        target=instruction,
        suffix=ASK_FOR_POINT,
        tags={tag: reading.text(row, tag, where, "") for tag in tags},
        picture=picture.name,
    )


SCREENSPOT_V2 = ScreenSpotV2()
SCREENSPOT_PRO = ScreenSpotPro()
