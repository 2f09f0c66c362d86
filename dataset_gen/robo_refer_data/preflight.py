"""What can be known to fail before any scene is made: models, packages, room for the objects."""

from __future__ import annotations

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.plan import Plan

PACKING = 0.6  # share of a support that footprints fill at most
SQUARE = 0.35  # footprint of a model over the square of its longest side, usually
PARAMETRIC_M2 = 0.015  # footprint of one of our own objects, usually

_OURS = ("parametric",)


def check(plan: Plan) -> None:
    """Raise what would stop every scene of a plan.

    Raises:
        RoboReferError: MISSING_DEPENDENCY for a renderer, physics or a source of assets that is not
            installed, BAD_FILE for models that cannot be used, BAD_REQUEST where no object fits
            into a world or too many are asked for.
    """
    natural = plan.half != "decorrelated"
    if plan.renderer != "embree":  # the default is imported by those who draw
        from robo_refer_data.render import find_renderer

        find_renderer(plan.renderer)
    if natural and (plan.physics or plan.world != ("tabletop",)):
        from robo_refer_data.scenes import settle  # noqa: F401 - raises where MuJoCo is missing
    if plan.assets != _OURS:
        for name in plan.world if natural else ("tabletop",):
            _check_room(plan, name)


def models_of(plan: Plan) -> dict[str, str]:
    """Return, for the manifest, what changes with the models of others that a plan uses."""
    if plan.assets == _OURS:
        return {}
    from robo_refer_data.assets.library import digest

    return {"models": digest(plan.assets)}


def _check_room(plan: Plan, name: str) -> None:
    from robo_refer_data.assets.library import open_library
    from robo_refer_data.scenes.worlds import WORLDS

    world = WORLDS[name]
    specs = open_library(plan.assets).up_to(world.span_m).specs
    if not specs:
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"None of these objects fits into the world '{name}': all are longer than "
            f"{world.span_m:.2f} m.",
            "Add smaller models, correct their size_m, or choose another --world.",
        )
    total = sum(spec.weight for spec in specs)
    areas = (SQUARE * spec.span_m**2 if spec.version else PARAMETRIC_M2 for spec in specs)
    area_m2 = sum(spec.weight * area for spec, area in zip(specs, areas, strict=True)) / total
    if plan.objects[0] * area_m2 > PACKING * world.capacity_m2:
        most = max(int(PACKING * world.capacity_m2 / area_m2), 1)
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{plan.objects[0]} of these objects need {plan.objects[0] * area_m2:.2f} m2, more "
            f"than the {PACKING * world.capacity_m2:.2f} m2 that the world '{name}' offers them.",
            f"Ask for fewer, such as --objects 1 {most}, use smaller models, or another --world.",
        )
