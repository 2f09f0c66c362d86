"""Effects of a depth camera, each on a made-up view in which only it has something to do."""

from itertools import pairwise

import numpy as np
import pytest

from robo_refer.errors import RoboReferError
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan
from robo_refer_data.render.depth_camera import EFFECTS, camera_depth
from robo_refer_data.render.model import Optics
from robo_refer_data.scenes import SceneOptions, observe

SHAPE = (120, 160)
FOCAL_PX = 150.0


def made(depth_m=1.0, grey=128, gloss=0.2, metal=False, clear=False, behind_m=None):
    """Return depth, rgb and optics of a wall that faces the camera."""
    depth = np.full(SHAPE, depth_m, np.float32)
    optics = Optics(
        np.full(SHAPE, gloss, np.float32),
        np.full(SHAPE, metal),
        np.full(SHAPE, clear),
        np.full(SHAPE, depth_m if behind_m is None else behind_m, np.float32),
    )
    return depth, np.full((*SHAPE, 3), grey, np.uint8), optics


def measured(effects, view, seed=0):
    depth, rgb, optics = view
    return camera_depth(depth, rgb, optics, FOCAL_PX, effects, np.random.default_rng(seed))


def lost(depth) -> float:
    return float((depth == 0).mean())


def test_without_effects_depth_is_exact() -> None:
    view = made(1.2345)
    assert (measured((), view) == view[0]).all()


def test_noise_grows_with_distance() -> None:
    spread = [measured(("noise",), made(z)).std() for z in (0.5, 1.0, 2.0, 4.0)]
    assert all(b > 1.5 * a for a, b in pairwise(spread))
    assert 0.0005 < spread[1] < 0.004


def test_quantisation_steps_grow_with_distance_and_end() -> None:
    ramp = np.linspace(0.4, 7, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE)
    depth = measured(("quantisation",), (ramp, *made()[1:]))
    assert (depth[ramp > 6] == 0).all()
    steps = [
        np.diff(np.unique(depth[(ramp > low) & (ramp < low + 0.3)])).max() for low in (0.5, 1, 2, 4)
    ]
    assert all(b > a for a, b in pairwise(steps))
    near = ramp < 1
    assert np.abs(depth - ramp)[near].max() < 0.005


def test_holes_at_edges_only() -> None:
    depth, rgb, optics = made(1.5)
    depth[:, 80:] = 0.8
    holes = measured(("edges",), (depth, rgb, optics)) == 0
    assert holes[:, 74:84].mean() > 0.3
    assert not holes[:, :60].any()
    assert not holes[:, 90:].any()
    # what is far and to the left of what is near is hidden from the other eye
    assert holes[:, 76:79].mean() > holes[:, 81:84].mean()


def test_dark_shiny_and_grazing_surfaces_lose_depth() -> None:
    assert lost(measured(("dark",), made(grey=8))) > 0.2
    assert lost(measured(("dark",), made(grey=128))) == 0
    assert lost(measured(("dark",), made(2.5, grey=8))) > lost(measured(("dark",), made(grey=8)))
    assert lost(measured(("shiny",), made(gloss=0.8, metal=True))) > 0.2
    assert lost(measured(("shiny",), made(gloss=0.8, metal=True))) > lost(
        measured(("shiny",), made(gloss=0.8))
    )
    assert lost(measured(("shiny",), made(gloss=0.1))) == 0
    steep = np.tile(np.geomspace(0.3, 60, SHAPE[0], dtype=np.float32)[:, None], (1, SHAPE[1]))
    assert lost(measured(("grazing",), (steep, *made()[1:]))) > 0.4
    assert lost(measured(("grazing",), made())) == 0


def test_glass_is_looked_through() -> None:
    depth = measured(("transparent",), made(1.0, clear=True, behind_m=1.6))
    assert 0.1 < lost(depth) < 0.8
    assert np.isclose(depth, 1.6).mean() > 0.2
    assert np.isclose(depth, 1.0).mean() > 0.02
    assert (measured(("transparent",), made(1.0)) == 1.0).all()


@pytest.mark.parametrize("left_out", EFFECTS)
def test_an_effect_that_is_left_out_changes_no_other(left_out) -> None:
    view = made(1.0, grey=20, gloss=0.6)
    kept = [name for name in EFFECTS if name != left_out]
    for name in kept:
        alone = measured((name,), view)
        assert (alone == measured((name,), view)).all()
    both, without = measured(tuple(EFFECTS), view), measured(tuple(kept), view)
    # what the others lose without it, they lose with it too
    assert not ((without == 0) & (both > 0)).mean() > 0.02


def test_optics_of_a_scene_see_behind_glass() -> None:
    found = 0
    for seed in range(40):
        options = SceneOptions(optics=True)
        seen = observe(seed, "natural", 96, 72, options, antialias=1)
        optics = seen.optics
        assert (optics.behind_m[~optics.clear] == seen.depth_m[~optics.clear]).all()
        glass = np.isin(seen.instance, [o.id for o in seen.objects if o.material == "glass"])
        through = optics.clear & (optics.behind_m > 0)
        assert (optics.behind_m[through] >= seen.depth_m[through]).all()
        found += bool((optics.clear & glass).any())
        if found >= 2:
            break
    assert found >= 2


def test_plans_with_a_sensor() -> None:
    plan = Plan(scenes=1, width=96, height=72, half="natural", questions=0, sensor=tuple(EFFECTS))
    exact = Plan(scenes=1, width=96, height=72, half="natural", questions=0)
    one, other = make_sample(plan, 0), make_sample(exact, 0)
    assert one.meta["depth"] == "sensor"
    assert (one.rgb == other.rgb).all()
    assert 0.01 < lost(one.depth_m) < 0.6
    assert (one.depth_m == make_sample(plan, 0).depth_m).all()
    with pytest.raises(RoboReferError, match="two"):
        Plan(scenes=1, sensor_depth=True, sensor=("noise",))
