"""What a scene claims of itself, checked against its own pixels and against plain geometry."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from shapely.geometry import Polygon

from robo_refer_data.assets import ASSETS, COLOURS
from robo_refer_data.assets.palette import FINISH
from robo_refer_data.render import render
from robo_refer_data.scenes import compose, observe
from robo_refer_data.scenes.assemble import assemble
from robo_refer_data.scenes.footprint import Footprint, gap
from robo_refer_data.scenes.truth import point_on

HALVES = ("natural", "decorrelated")
SIZE = (192, 144)
SEEDS = range(500, 515)


@lru_cache(maxsize=256)
def scene(seed, half, width=SIZE[0], height=SIZE[1]):
    return observe(seed, half, width, height)


def every_object():
    for half in HALVES:
        for seed in SEEDS:
            seen = scene(seed, half)
            for truth in seen.objects:
                yield seen, truth


def camera_points(seen, mask):
    """Return the (N, 3) world points of a mask's pixels."""
    camera = seen.camera
    v, u = np.nonzero(mask)
    z = seen.depth_m[v, u].astype(float)
    local = np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], axis=1)
    return local @ camera.T_world_cam[:3, :3].T + camera.T_world_cam[:3, 3]


def project(camera, point):
    local = camera.T_world_cam[:3, :3].T @ (point - camera.T_world_cam[:3, 3])
    u = camera.fx * local[0] / local[2] + camera.cx
    return np.array([u, camera.fy * local[1] / local[2] + camera.cy]), local[2]


@pytest.mark.parametrize("half", HALVES)
def test_same_seed_same_bytes(half):
    for seed in (1, 2, 3):
        one, other = observe(seed, half, *SIZE), observe(seed, half, *SIZE)
        for name in ("rgb", "depth_m", "instance", "surface"):
            assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
        assert [t.mask for t in one.objects] == [t.mask for t in other.objects]
        assert [t.point_norm for t in one.objects] == [t.point_norm for t in other.objects]
    assert observe(1, half, *SIZE).rgb.tobytes() != observe(2, half, *SIZE).rgb.tobytes()


def test_halves_of_a_seed_are_different_scenes():
    assert scene(500, "natural").rgb.tobytes() != scene(500, "decorrelated").rgb.tobytes()


@pytest.mark.parametrize("half", HALVES)
def test_size_does_not_change_the_scene(half):
    for seed in range(5):
        small, large = compose(seed, half, 192, 144), compose(seed, half, 640, 480)
        assert len(small.objects) == len(large.objects)
        for a, b in zip(small.objects, large.objects, strict=True):
            np.testing.assert_allclose(a.T_world_obj, b.T_world_obj, atol=5e-3 * b.scale)
            assert a.asset.colour == b.asset.colour


@pytest.mark.parametrize("half", HALVES)
def test_shapes_types_and_ranges(half):
    seen = scene(500, half)
    shape = (SIZE[1], SIZE[0])
    assert seen.rgb.shape == (*shape, 3)
    assert seen.rgb.dtype == np.uint8
    assert seen.depth_m.shape == seen.instance.shape == seen.surface.shape == shape
    assert seen.depth_m.dtype == np.float32
    assert seen.instance.dtype == np.int32
    assert seen.surface.dtype == bool
    assert np.isfinite(seen.depth_m).all()
    assert (seen.depth_m >= 0).all()
    assert (seen.camera.width, seen.camera.height) == SIZE


def test_words_are_in_the_vocabulary():
    for _, truth in every_object():
        spec = ASSETS[truth.name]
        assert truth.colour in spec.colours
        assert truth.colour in COLOURS
        assert truth.material in FINISH


def test_masks_are_the_instance_image():
    for seen, truth in every_object():
        assert isinstance(truth.mask["counts"], str)
        decoded = coco_mask.decode(truth.mask).astype(bool)
        assert (decoded == (seen.instance == truth.id)).all()


def test_pixels_of_an_object_lie_in_its_box():
    for seen, truth in every_object():
        points = camera_points(seen, seen.instance == truth.id)
        local = (points - truth.T_world_obj[:3, 3]) @ truth.T_world_obj[:3, :3]
        assert (np.abs(local) <= truth.size_m / 2 + 1e-3).all()
        depth = seen.depth_m[seen.instance == truth.id]
        assert truth.depth_m == pytest.approx(np.median(depth))


def test_poses_are_rigid():
    for _, truth in every_object():
        turn = truth.T_world_obj[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(turn) == pytest.approx(1)


def test_representative_point_lies_on_the_mask():
    for seen, truth in every_object():
        x, y = truth.point_norm
        assert seen.instance[int(y * SIZE[1]), int(x * SIZE[0])] == truth.id


def test_point_of_a_ring_is_not_its_hole():
    v, u = np.mgrid[0:40, 0:60]
    radius = np.hypot(u - 30, v - 20)
    ring = (radius < 15) & (radius > 10)
    x, y = point_on(ring)
    assert ring[int(y * 40), int(x * 60)]


def test_projected_box_centre_is_near_the_mask():
    for seen, truth in every_object():
        if truth.visible_fraction < 0.9:
            continue
        v, u = np.nonzero(seen.instance == truth.id)
        spot, _ = project(seen.camera, truth.T_world_obj[:3, 3])
        slack = 0.25 * max(np.ptp(u), np.ptp(v)) + 2
        assert u.min() - slack <= spot[0] <= u.max() + slack
        assert v.min() - slack <= spot[1] <= v.max() + slack


@pytest.mark.parametrize("half", HALVES)
def test_visible_fraction_equals_a_drawing_without_the_others(half):
    width, height = SIZE
    for seed in range(500, 504):
        layout = compose(seed, half, width, height)
        for truth in scene(seed, half).objects:
            alone = [placed for placed in layout.objects if placed.id == truth.id]
            camera = replace(  # continued by half an image on every side
                layout.camera,
                width=2 * width,
                height=2 * height,
                cx=layout.camera.cx + width // 2,
                cy=layout.camera.cy + height // 2,
                T_world_cam=layout.camera.T_world_cam,
            )
            lonely = assemble(replace(layout, objects=alone, props=[], camera=camera))
            full = (render(lonely, 1).instance == truth.id).sum()
            visible = (scene(seed, half).instance == truth.id).sum()
            assert truth.visible_fraction == pytest.approx(visible / full, abs=0.02)
            assert truth.visible_fraction >= 0.35


def test_surface_is_the_bare_table_top():
    shown = 0
    for seed in SEEDS:
        seen = scene(seed, "natural")
        assert not seen.instance[seen.surface].any()
        heights = camera_points(seen, seen.surface)[:, 2]
        shown += len(heights) > 0
        assert np.ptp(heights) < 2e-3
        standing = [t for t in seen.objects if t.support_id == 0 and t.support_kind == "on"]
        for truth in standing:
            turn = np.abs(truth.T_world_obj[2, :3])
            bottom = truth.T_world_obj[2, 3] - turn @ truth.size_m / 2
            assert bottom == pytest.approx(heights.mean(), abs=2e-3)
    assert shown == len(SEEDS)
    assert not any(scene(seed, "decorrelated").surface.any() for seed in SEEDS)


def _outline(placed):
    """Return the footprint of an upright or lying object's box as a polygon."""
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    world = (corners * placed.size_m / 2) @ placed.T_world_obj[:3, :3].T + placed.T_world_obj[:3, 3]
    return Polygon(world[:, :2]).convex_hull, world[:, 2]


def test_things_on_a_natural_table_do_not_stand_in_each_other():
    pairs = 0
    for seed in range(500, 540):
        layout = compose(seed, "natural", *SIZE)
        solid = [o for o in layout.objects if o.support_kind != "in"]
        outlines = {o.id: _outline(o) for o in solid}
        for i, one in enumerate(solid):
            for other in solid[i + 1 :]:
                related = one.id == other.support_id or other.id == one.support_id
                bench = "shelf" in (one.asset.spec.name, other.asset.spec.name)
                round_ones = one.asset.spec.round or other.asset.spec.round
                if related or bench or round_ones:  # the boxes of discs may touch at corners
                    continue
                (a, heights_a), (b, heights_b) = outlines[one.id], outlines[other.id]
                above = heights_a.min() >= heights_b.max() - 1e-6
                below = heights_b.min() >= heights_a.max() - 1e-6
                if not above and not below:
                    pairs += 1
                    assert a.intersection(b).area < 1e-8, (seed, one.id, other.id)
    assert pairs > 200


def test_supports_carry_what_they_claim_to():
    kinds = {"on": 0, "in": 0, "leaning": 0}
    for seed in range(90):
        layout = compose(seed, "natural", *SIZE)
        by_id = {o.id: o for o in layout.objects}
        for guest in layout.objects:
            if guest.support_id == 0:
                continue
            kinds[guest.support_kind] += 1
            host = by_id[guest.support_id]
            (host_area, host_z), (area, z) = _outline(host), _outline(guest)
            if guest.support_kind == "on":
                assert z.min() == pytest.approx(host_z.max(), abs=1e-6)
                assert area.within(host_area.buffer(5e-3))
            elif guest.support_kind == "in":
                assert area.intersects(host_area)
                assert host_z.min() < z.min() < host_z.max()
            else:
                assert z.min() == pytest.approx(host_z.min(), abs=1e-6)
                assert area.distance(host_area) < 5e-3
    assert min(kinds.values()) >= 5, kinds


def test_something_stands_under_a_shelf_now_and_then():
    found = 0
    for seed in range(90):
        objects = compose(seed, "natural", *SIZE).objects
        for shelf in (o for o in objects if o.asset.spec.name == "shelf"):
            for other in (o for o in objects if o is not shelf):
                offset = other.T_world_obj[:3, 3] - shelf.T_world_obj[:3, 3]
                local = shelf.T_world_obj[:3, :3].T @ offset
                found += bool((np.abs(local) < shelf.size_m / 2).all() and local[2] < 0)
    assert found >= 3


def test_decorrelated_depth_says_nothing_about_place_or_size():
    depths, rows, columns, widths = [], [], [], []
    for seed in range(200):
        layout = compose(seed, "decorrelated", *SIZE)
        camera = layout.camera
        found = [project(camera, o.T_world_obj[:3, 3]) for o in layout.objects]
        z = np.array([depth for _, depth in found])
        depths += list(np.log(z) - np.log(z).mean())
        rows += [spot[1] for spot, _ in found]
        columns += [spot[0] for spot, _ in found]
        widths += [o.size_m.max() * camera.fx / d for o, d in zip(layout.objects, z, strict=True)]
    assert len(depths) > 1000
    bound = 4 / np.sqrt(len(depths))  # four standard errors of a correlation that is zero
    for other in (rows, columns, widths):
        assert abs(np.corrcoef(depths, other)[0, 1]) < bound


def test_decorrelated_objects_are_mostly_unhidden():
    fractions = [t.visible_fraction for seed in SEEDS for t in scene(seed, "decorrelated").objects]
    assert np.mean(fractions) > 0.9


@pytest.mark.parametrize("half", HALVES)
def test_number_of_objects(half):
    low, high = {"natural": (3, 12), "decorrelated": (2, 10)}[half]
    counts = [len(compose(seed, half, *SIZE).objects) for seed in range(60)]
    assert min(counts) >= low - 1
    assert max(counts) <= high
    assert len(set(counts)) >= 5


def test_names_repeat_and_colours_are_shared():
    repeated = shared = 0
    for seed in range(60):
        assets = [o.asset for o in compose(seed, "natural", *SIZE).objects]
        words = [(asset.spec.name, asset.colour) for asset in assets]
        names = [name for name, _ in words]
        repeated += len(set(names)) < len(names)
        shared += any(a[1] == b[1] and a[0] != b[0] for a in words for b in words)
    assert 0.3 < repeated / 60 < 0.8
    assert shared / 60 > 0.5


def test_gap_between_footprints():
    square = Footprint(0, 0, 1, 1)
    assert gap(square, Footprint(3, 0, 1, 1)) == pytest.approx(1)
    assert gap(square, Footprint(1.5, 0, 1, 1)) < 0
    assert gap(square, Footprint(3, 0, 1, 1, np.pi / 4)) == pytest.approx(3 - 1 - 2**0.5)
    assert gap(Footprint(0, 0, 1, 1, 0, True), Footprint(3, 4, 1, 1, 0, True)) == pytest.approx(3)
