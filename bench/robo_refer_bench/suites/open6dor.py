"""Open6DOR V2, position track (arXiv:2502.13143): where an object is to be put, as a 3D point.

As published: `task_refine_pos/RELATION/TASK/RUN/` with `task_config_new5.json` (instruction,
target_obj_name, position_tag, init_obj_pos: one row per object, x, y, z first, the one to be moved
last), `isaac_render-rgb-0-1.png` and `isaac_render-depth-0-1.npy` (metres, negative). The camera is
the same in all: its pose and lens are those of the suite's own point-cloud code. World: x towards
the viewer, y to the right of the picture, z up.

A place is judged as the suite's evaluator does, except for "between": there the evaluator compares
x with the range of y; here x lies between the two in x, or y in y.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from robo_refer.types import CameraModel, FloatArray, Frame
from robo_refer_bench.suites import reading
from robo_refer_bench.suites.base import Item, PlaceTruth

Place = tuple[float, float, float]

_SINGLE: dict[str, Callable[[Place, Place], bool]] = {
    "left": lambda place, anchor: place[1] < anchor[1],
    "right": lambda place, anchor: place[1] > anchor[1],
    "front": lambda place, anchor: place[0] > anchor[0],
    "behind": lambda place, anchor: place[0] < anchor[0],
    "top": lambda place, anchor: place[2] >= anchor[2],
}
_LEVEL_1 = tuple(_SINGLE)
_LEVEL_2 = ("between", "center")

# Focal lengths over half the width and half the height; the optical axes in the world.
_LENS = (1.7320507, 2.5980759)
_T_WORLD_CAM = np.array(
    [
        [0.0, 0.9028605, -0.42993355, 1.0],
        [1.0, 0.0, 0.0, 0.0],
        [0.0, -0.42993355, -0.9028605, 1.2],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


@dataclass(frozen=True)
class Open6Dor:
    """The suite; see `base.Suite` for the attributes. Level 1 is one anchor, level 2 several."""

    name: str = "open6dor"
    title: str = "Open6DOR V2, positions"
    splits: tuple[str, ...] = ("level1", "level2")
    disjoint: tuple[str, ...] = ("level1", "level2")
    published_items: Mapping[str, int] = field(default_factory=dict)
    how_to_get: str = """\
hf download qizekun/Open6DOR_V2 open6dor_v2.zip --repo-type dataset --local-dir DIR
unzip DIR/open6dor_v2.zip -d DIR
DIR is the folder that holds task_refine_pos. What is scored is the place that is pointed at, not
the motion of a simulated robot: compare with perception, not with success rates."""

    def items(self, split: str, root: Path) -> Sequence[Item]:
        """Return the items of a level, in the order of their folders; see `base.Suite.items`."""
        tracks = [folder for folder in (root, root / "open6dor_v2") if folder.is_dir()]
        configs = [
            path
            for folder in tracks
            for path in sorted((folder / "task_refine_pos").glob("*/*/*/task_config_new5.json"))
        ]
        if not configs:
            raise reading.bad_layout(
                f"{root} holds no task_refine_pos/RELATION/TASK/RUN/task_config_new5.json"
            )
        wanted = _LEVEL_1 if split == "level1" else _LEVEL_2
        found = [_item(path) for path in configs]
        reading.unique_ids([item.id for item in found], root)
        return [item for item in found if item.tags["relation"] in wanted]


def _item(path: Path) -> Item:
    where = str(path)
    config = reading.read_json(path)
    if not isinstance(config, Mapping):
        raise reading.bad_layout(f"{path} is not a task")
    relation = reading.text(config, "position_tag", where)
    rows = config.get("init_obj_pos")
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise reading.bad_item(where, "it has no list 'init_obj_pos'")
    found = [reading.numbers(row[:3], 3, where) for row in rows]
    anchors = [(x, y, z) for x, y, z in found[:-1]]
    return Item(
        id="/".join(path.parts[-4:-1]),
        prompt=reading.text(config, "instruction", where).strip(),
        truth=PlaceTruth(_holds(relation, anchors, where), f"{relation} {anchors}"),
        load_frame=partial(_frame, path.parent),
        target=reading.text(config, "target_obj_name", where),
        tags={"relation": relation},
        picture="/".join(path.parts[-4:-1]),
    )


def _holds(relation: str, anchors: list[Place], where: str) -> Callable[[Place], bool]:
    needed = 1 if relation in _SINGLE else 2
    if relation not in (*_LEVEL_1, *_LEVEL_2) or len(anchors) < needed:
        raise reading.bad_item(where, f"{relation!r} with {len(anchors)} anchors is not defined")
    if relation in _SINGLE:
        return lambda place: _SINGLE[relation](place, anchors[0])
    if relation == "between":
        return lambda place: _within(place, anchors[:2], 0) or _within(place, anchors[:2], 1)
    return lambda place: _within(place, anchors, 0) and _within(place, anchors, 1)


def _within(place: Place, anchors: Sequence[Place], axis: int) -> bool:
    values = [anchor[axis] for anchor in anchors]
    return min(values) < place[axis] < max(values)


def _frame(folder: Path) -> Frame:
    rgb = reading.rgb_frame(folder / "isaac_render-rgb-0-1.png").rgb
    height, width = rgb.shape[:2]
    camera = CameraModel(
        width=width,
        height=height,
        fx=_LENS[0] * width / 2,
        fy=_LENS[1] * height / 2,
        cx=(width - 1) / 2,
        cy=(height - 1) / 2,
        T_world_cam=_T_WORLD_CAM,
    )
    return Frame(rgb, _depth_m(folder / "isaac_render-depth-0-1.npy"), camera)


def _depth_m(path: Path) -> FloatArray:
    try:
        depth = np.load(io.BytesIO(reading.read_bytes(path)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise reading.bad_image(str(path), "is no array of depths") from error
    return np.abs(np.asarray(depth, dtype=np.float32))


OPEN6DOR = Open6Dor()
