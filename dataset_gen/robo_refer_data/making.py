"""`make_sample`: one scene of a plan, rendered and questioned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from robo_refer.data import Question, Sample
from robo_refer_data.plan import GENERATOR_VERSION, Plan

if TYPE_CHECKING:
    from robo_refer_data.observation import Observation

MakeSample = Callable[[Plan, int], Sample]


def make_sample(plan: Plan, index: int) -> Sample:
    """Make scene `index` of a plan: render it, ask about it, and measure its depth if wanted."""
    # Imported here: a parent that only hands out shards needs no renderer.
    from robo_refer_data.questions import ask
    from robo_refer_data.render.depth_camera import camera_depth
    from robo_refer_data.render.sensor import sensor_depth
    from robo_refer_data.scenes import observe

    scene_seed = _scene_seed(plan.seed, index)
    half = plan.scene_half(index)
    options = plan.scene_options(index)
    seen = observe(scene_seed, half, plan.width, plan.height, options)
    questions = ask(
        seen,
        _rng(plan.seed, index, 1),
        plan.questions,
        plan.families,
        plan.relations,
        plan.wording,
    )
    depth_m = seen.depth_m
    if plan.sensor_depth:
        depth_m = sensor_depth(seen.depth_m, seen.rgb, _rng(plan.seed, index, 2))
    elif seen.optics is not None:
        focal_px, rng = seen.camera.fx, _rng(plan.seed, index, 2)
        depth_m = camera_depth(depth_m, seen.rgb, seen.optics, focal_px, plan.sensor, rng)
    return Sample(
        id=f"s{plan.seed}-{index:06d}",
        rgb=seen.rgb,
        depth_m=depth_m,
        camera=seen.camera,
        objects=seen.objects,
        questions=tuple(q for q in questions if not _is_held_out(q, plan.hold_out)),
        source=options.world if half == "natural" else "tabletop",
        meta={
            "seed": plan.seed,
            "index": index,
            "scene_seed": scene_seed,
            "half": half,
            "depth": "sensor" if plan.sensor_depth or plan.sensor else "exact",
            "generator": GENERATOR_VERSION,
            **_credits(seen),
        },
    )


def _is_held_out(question: Question, pairs: Sequence[str]) -> bool:
    """Tell whether a question asks an (inner, outer) pair of relations that is kept for a test."""
    chain = question.tags.get("chain", ())
    return any(f"{inner}:{outer}" in pairs for inner, outer in pairwise(chain))


def _credits(seen: Observation) -> dict[str, Any]:
    """Return who made the models in a scene, and under which licence; nothing if nobody did."""
    models = [asdict(origin) for origin in seen.origins]
    return {"credits": models} if models else {}


def _scene_seed(seed: int, index: int) -> int:
    """Return 63 random bits: they fit a signed 64-bit integer wherever they are stored."""
    state = np.random.SeedSequence([seed, index]).generate_state(1, np.uint64)
    return int(state[0]) >> 1


def _rng(seed: int, index: int, use: int) -> np.random.Generator:
    # `use` starts at 1: SeedSequence pads with zeros, so [seed, index, 0] is the scene's own seed.
    return np.random.default_rng(np.random.SeedSequence([seed, index, use]))
