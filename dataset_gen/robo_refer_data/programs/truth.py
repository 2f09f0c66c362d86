"""The full truth of every reasoning step of a question, beyond what its answer spells out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from robo_refer.data.sample import Question, Rle
from robo_refer_data.observation import Observation
from robo_refer_data.relations import Facts


@dataclass(frozen=True)
class StepTruth:
    """What is true of the object that a step is about.

    Attributes:
        object_id: as in `ObjectTruth`.
        point_norm: a point on it, in [0, 1]^2.
        mask: its visible pixels.
        height_m: its vertical extent in the world.
        extent_m: its largest extent along its own axes.
        front_cam: unit vector of its semantic front in the camera frame, or None.
    """

    object_id: int
    point_norm: tuple[float, float]
    mask: Rle
    height_m: float
    extent_m: float
    front_cam: tuple[float, float, float] | None


def step_truths(question: Question, observation: Observation) -> tuple[StepTruth, ...]:
    """Return the truth of each step of `question.answer`, in their order."""
    facts = Facts(observation)
    return tuple(_truth(facts, facts.index_of[id_]) for id_ in question.step_ids)


def _truth(facts: Facts, index: int) -> StepTruth:
    item = facts.observation.objects[index]
    front = None
    if item.front_obj is not None:
        rotation = facts.T_cam_world[:3, :3] @ item.T_world_obj[:3, :3]
        x, y, z = (float(value) for value in rotation @ np.asarray(item.front_obj))
        front = (x, y, z)
    return StepTruth(
        item.id, item.point_norm, item.mask, facts.heights[index], facts.extents[index], front
    )
