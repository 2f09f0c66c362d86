"""The full truth of every reasoning step of a question, beyond what its answer spells out."""

from __future__ import annotations

from dataclasses import dataclass

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


def front_cam(facts: Facts, index: int) -> tuple[float, float, float] | None:
    """Return where an object's front points, a unit vector in the camera frame, if it has one."""
    if facts.observation.objects[index].front_obj is None:
        return None
    x, y, z = (float(value) for value in facts.T_cam_world[:3, :3] @ facts.fronts_world[index])
    return (x, y, z)


def _truth(facts: Facts, index: int) -> StepTruth:
    item = facts.observation.objects[index]
    height, extent = facts.heights[index], facts.extents[index]
    return StepTruth(item.id, item.point_norm, item.mask, height, extent, front_cam(facts, index))
