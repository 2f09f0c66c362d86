"""`Sample`: one scene as data: what was seen, what is truly there, what is asked of it.

Written by `robo_refer_data`, read by `robo_refer_train` and `robo_refer_bench`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from robo_refer.types import Answer, CameraModel, FloatArray

Rle = dict[str, Any]
"""COCO run-length encoding: {"size": [height, width], "counts": str} (pycocotools, ASCII)."""


POINTING = ("object", "free_space", "absent", "relation", "reasoning", "placement")
"""Families that are answered by pointing, or by saying that there is nothing to point to.

object: by name, colour or material, by the nearest object in a direction, by order and extremes;
relation: the only one that stands in a relation ("the mug taller than the box"); reasoning: through
two to five of all of these; placement: free space by what points, by distances and by several
conditions at once.
"""

FREE = ("free_space", "placement")
"""Of these, families whose answer is a place where nothing is."""

SPOKEN = ("yes_no", "choice", "fact", "numeric", "counting")
"""Families that are answered in words or numbers."""

FAMILIES = (*POINTING, *SPOKEN)

FOREIGN = ("point", "words")
"""Families of datasets of others: answered by a point that no mask surrounds, so that it can be
learnt from but not scored; and in words of any form."""


@dataclass(frozen=True)
class ObjectTruth:
    """One object of a scene, from its ground truth.

    Attributes:
        id: instance number in the scene, 1-based (0 is background, table and walls).
        name: category, singular lower case ("mug").
        colour: main colour word, or "" when it has no single colour.
        material: material word ("ceramic", "wood", "plastic", "metal", "glass" ...), or "".
        size_m: (3,) extents of the oriented box along the object's own x, y, z, metres.
        T_world_obj: (4, 4) pose of the box centre; world z is up, metres.
        front_obj: unit vector of its semantic front in its own frame (a mug's handle), or None.
        mask: its visible pixels.
        visible_fraction: visible pixels over the pixels it would have unoccluded, 0..1.
        depth_m: median depth of its visible pixels.
        point_norm: a representative point in [0, 1]^2 that lies on the mask.
        support_id: id of the object that it stands on, 0 for the table or floor.
        support_kind: how it is supported.
    """

    id: int
    name: str
    colour: str
    material: str
    size_m: FloatArray
    T_world_obj: FloatArray
    front_obj: FloatArray | None
    mask: Rle
    visible_fraction: float
    depth_m: float
    point_norm: tuple[float, float]
    support_id: int = 0
    support_kind: str = "on"  # "on" | "in" | "leaning"


@dataclass(frozen=True)
class Question:
    """One instruction about a scene, with its truth.

    Attributes:
        kind: question kind, snake case ("direct_name", "left_of", "nearest_camera" ...).
        family: one of FAMILIES or FOREIGN.
        hops: 0 = direct, 1 = single relation or ordinal, 2 to 5 = compositions, -1 = not known.
        text: the instruction.
        answer: the truth in the answer grammar: the target's representative point (none if
            absent) and the reasoning steps, anchors first, in the order they are needed.
            A family that is answered in words has steps but no points.
        target_ids: the objects asked for (empty for free space and absent).
        mask: pixels that count as a hit (object mask or free-space region), None where there is
            nothing to point to.
        step_ids: for every step of `answer`, the object it is about (0 for free space).
        tags: facts to split scores by, e.g. {"half": "natural"|"decorrelated",
            "colour_unique": true}.
        reply: the answer in words ("yes", "(b)", "0.42 m", "3"), "" where pointing answers.
    """

    kind: str
    family: str
    hops: int
    text: str
    answer: Answer
    target_ids: tuple[int, ...]
    mask: Rle | None
    step_ids: tuple[int, ...] = ()
    tags: dict[str, Any] = field(default_factory=dict)
    reply: str = ""


@dataclass(frozen=True)
class Sample:
    """A scene: images, camera, objects, questions.

    Attributes:
        id: unique within its dataset ("s7-000123").
        rgb: (height, width, 3) uint8.
        depth_m: (height, width) float32 metres, exact or sensor-like; 0 where not measured.
        camera: intrinsics and `T_world_cam`; world z is up. None where they are not known.
        objects: everything that can be referred to.
        questions: what is asked.
        source: which generator or dataset made it ("tabletop", "rgbd" ...).
        meta: seed, generator version, half and the like; JSON-ready.
        relative_depth: (height, width) uint8 inverse depth without unit, 255 nearest, for images
            whose depth was never metric; then `depth_m` is None.
    """

    id: str
    rgb: NDArray[np.uint8]
    depth_m: FloatArray | None
    camera: CameraModel | None
    objects: tuple[ObjectTruth, ...]
    questions: tuple[Question, ...]
    source: str = ""
    meta: dict[str, Any] = field(default_factory=dict)
    relative_depth: NDArray[np.uint8] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels; (0, 0) where the camera is not known and rgb was not read."""
        if self.camera is not None:
            return self.camera.width, self.camera.height
        return int(self.rgb.shape[1]), int(self.rgb.shape[0])
