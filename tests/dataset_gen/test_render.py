"""The renderer against independent rays, its anti-aliasing, light, and the depth sensor model."""

from dataclasses import replace

import numpy as np
import pytest
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene

from robo_refer_data.assets.mesh import Mesh, box
from robo_refer_data.assets.palette import Surface
from robo_refer_data.render import Lighting, render, sensor_depth
from robo_refer_data.render.textures import TEXTURES, texture_weight
from robo_refer_data.scenes import compose, observe
from robo_refer_data.scenes.assemble import assemble
from robo_refer_data.scenes.layout import Layout, Prop, camera_at

LIGHT = Lighting(
    key_dir=np.array([0.6, 0.0, 0.8]),
    key_rgb=np.full(3, 0.8),
    key_radius=0.05,
    fill_dir=np.array([0.0, 0.0, 1.0]),
    fill_rgb=np.zeros(3),
    sky_rgb=np.full(3, 0.3),
    ground_rgb=np.full(3, 0.1),
)
GREY = Surface((0.6, 0.6, 0.6), gloss=0.0)


def looking_down(props, width=120, height=90, hfov=0.8):
    """Return the picture of `props` seen from 1 m above the origin, image up being +y."""
    camera = camera_at(np.array([0, 0, 1.0]), np.array([0, 1e-6, -1.0]), 0.0, hfov, width, height)
    return assemble(Layout([], props, LIGHT, camera))


@pytest.mark.parametrize("half", ["natural", "decorrelated"])
def test_depth_and_instance_equal_those_of_traced_rays(half):
    for seed in (3, 4):
        scene = assemble(compose(seed, half, 160, 120))
        result = render(scene, 2)
        camera = scene.camera
        v, u = np.mgrid[0:120, 0:160]
        x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
        rays = np.stack([x, y, np.ones_like(x)], axis=-1).reshape(-1, 3)
        directions = (rays @ camera.T_world_cam[:3, :3].T).astype(np.float32)
        origins = np.tile(camera.T_world_cam[:3, 3].astype(np.float32), (len(rays), 1))
        tracer = EmbreeScene()
        TriangleMesh(tracer, scene.vertices, scene.faces)
        hit = tracer.run(origins, directions, output=True)
        found = hit["primID"] >= 0
        depth = np.where(found, hit["tfar"], 0)
        part = scene.face_part[np.maximum(hit["primID"], 0)]
        instance = np.where(found, scene.part_instance[part], 0)
        assert (instance == result.instance.ravel()).mean() > 0.999
        close = np.abs(depth - result.depth_m.ravel()) < 1e-3
        assert close.mean() > 0.999


def test_depth_of_a_plane_is_exact():
    result = render(looking_down([Prop(box((3, 3, 0.1), (0, 0, -0.1)), GREY)]), 1)
    np.testing.assert_allclose(result.depth_m, 1.0, atol=1e-6)


def test_nothing_hit_is_depth_zero():
    result = render(looking_down([Prop(box((0.1, 0.1, 0.1)), GREY)]), 2)
    assert result.depth_m[0, 0] == 0
    assert result.depth_m[45, 60] == pytest.approx(0.9, abs=1e-5)
    assert result.instance.max() == 0


def test_surface_is_marked_only_on_upward_faces():
    thing = Prop(box((0.3, 0.3, 0.2)), GREY, is_surface=True)
    ground = Prop(box((3, 3, 0.1), (0, 0, -0.1)), GREY)
    result = render(looking_down([ground, thing]), 1)
    assert result.surface.any()
    np.testing.assert_allclose(result.depth_m[result.surface], 0.8, atol=1e-5)


def test_antialiasing_comes_near_a_much_larger_picture():
    for seed in (3, 5):
        layout = compose(seed, "natural", 640, 480)
        camera = layout.camera
        small = replace(
            camera,
            width=160,
            height=120,
            fx=camera.fx / 4,
            fy=camera.fy / 4,
            cx=(camera.cx + 0.5) / 4 - 0.5,
            cy=(camera.cy + 0.5) / 4 - 0.5,
            T_world_cam=camera.T_world_cam,
        )
        large = render(assemble(layout), 1).rgb.astype(float)
        truth = large.reshape(120, 4, 160, 4, 3).mean(axis=(1, 3))
        scene = assemble(replace(layout, camera=small))
        errors = [np.sqrt(((render(scene, n).rgb - truth) ** 2).mean()) for n in (1, 2, 4)]
        assert errors[1] < 0.75 * errors[0]
        assert errors[2] <= errors[1]


def test_antialiasing_leaves_geometry_alone():
    scene = assemble(compose(3, "decorrelated", 96, 72))
    one, two = render(scene, 1), render(scene, 2)
    assert one.depth_m.tobytes() == two.depth_m.tobytes()
    assert one.instance.tobytes() == two.instance.tobytes()
    assert one.rgb.tobytes() != two.rgb.tobytes()


def test_a_box_throws_its_shadow_away_from_the_light():
    ground = Prop(box((3, 3, 0.1), (0, 0, -0.1)), GREY)
    tower = Prop(box((0.1, 0.1, 0.2)), GREY)
    result = render(looking_down([ground, tower]), 1).rgb.mean(axis=2)
    # 1 m is 120 / (2 tan 0.4) = 142 pixels; the shadow reaches 0.2 * 0.6 / 0.8 = 0.15 m to -x
    dark, bright = result[45, 60 - 24], result[45, 60 + 24]
    assert dark < 0.8 * bright
    assert result[45, 5] == pytest.approx(bright, abs=6)


def test_every_texture_stays_in_range_and_varies():
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.3, 0.3, (2000, 3))
    for kind, name in enumerate(TEXTURES):
        weights = np.array([texture_weight(kind, *point, 0.03) for point in points])
        assert weights.min() > -0.8, name
        assert weights.max() < 1.8, name
        assert (np.std(weights) > 0.05) == (name != "plain"), name


def test_pictures_are_neither_black_nor_blown_out():
    for half in ("natural", "decorrelated"):
        for seed in range(8):
            rgb = observe(seed, half, 96, 72).rgb
            assert 25 < rgb.mean() < 230
            assert rgb.std() > 10


def _ramp():
    depth = np.tile(np.linspace(0.5, 2.0, 192, dtype=np.float32), (144, 1))
    depth[40:80, 60:100] = 0.4
    return depth, np.full((144, 192, 3), 128, np.uint8)


def test_sensor_keeps_pixels_far_from_edges_within_noise():
    depth, rgb = _ramp()
    far = np.ones(depth.shape, bool)
    far[36:84, 56:104] = False
    far &= depth > 0
    errors = []
    for seed in range(20):
        measured = sensor_depth(depth, rgb, np.random.default_rng(seed))
        valid = far & (measured > 0)
        assert valid.sum() > 0.85 * far.sum()
        sigma = 0.0005 + 0.0015 * depth[valid] ** 2
        errors.append((measured[valid] - depth[valid]) / sigma)
    errors = np.concatenate(errors)
    assert (np.abs(errors) < 5).mean() > 0.999
    assert 0.3 < np.std(errors[np.abs(errors) < 5]) < 1.5
    assert abs(np.median(errors)) < 0.05


def test_sensor_noise_grows_with_distance():
    depth, rgb = _ramp()
    near, far = [], []
    for seed in range(10):
        measured = sensor_depth(depth, rgb, np.random.default_rng(seed))
        error = np.where(measured > 0, measured - depth, 0)
        near.append(np.median(np.abs(error[100:, :30])))
        far.append(np.median(np.abs(error[100:, -30:])))
    assert np.mean(far) > 2.5 * np.mean(near)


def test_sensor_loses_edges_holes_dark_patches_and_gains_strays():
    depth, rgb = _ramp()
    depth[10:14, 10:14] = 0
    rgb = rgb.copy()
    rgb[100:, 100:] = 5
    lost_edge, lost_dark, lost_plain, strays = [], [], [], 0
    for seed in range(10):
        measured = sensor_depth(depth, rgb, np.random.default_rng(seed))
        lost_edge.append((measured[40:80, 59:61] == 0).mean())
        lost_dark.append((measured[102:, 102:] == 0).mean())
        lost_plain.append((measured[102:, :90] == 0).mean())
        strays += ((np.abs(measured - depth) > 0.2) & (measured > 0)).sum()
        hole = measured[10:14, 10:14]
        assert (hole == 0).mean() > 0.8
    assert np.mean(lost_edge) > 0.4
    assert np.mean(lost_dark) > 2 * np.mean(lost_plain)
    assert strays >= 10


def test_sensor_rounds_to_millimetres_and_repeats():
    depth, rgb = _ramp()
    one = sensor_depth(depth, rgb, np.random.default_rng(1))
    other = sensor_depth(depth, rgb, np.random.default_rng(1))
    assert one.tobytes() == other.tobytes()
    assert one.dtype == np.float32
    np.testing.assert_allclose(one * 1000, np.round(one * 1000), atol=1e-3)
    exact = sensor_depth(depth, rgb, np.random.default_rng(1), strength=0.0)
    np.testing.assert_allclose(exact, depth, atol=0.00051)
    assert np.isfinite(one).all()


def test_sensor_copes_with_empty_depth():
    empty = np.zeros((60, 80), np.float32)
    measured = sensor_depth(empty, np.zeros((60, 80, 3), np.uint8), np.random.default_rng(0))
    assert (measured == 0).mean() > 0.99


def test_a_sliver_without_a_normal_is_drawn_all_the_same() -> None:
    # two faces back to back cancel each other's normal at their shared vertices
    corners = np.array([[-0.2, -0.2, 0.1], [0.2, -0.2, 0.1], [0.0, 0.3, 0.1]])
    sheet = Mesh(corners, np.array([[0, 1, 2], [0, 2, 1]], dtype=np.int32))
    result = render(looking_down([Prop(sheet, GREY)]), 2)
    assert (result.depth_m > 0).any()
    assert np.isfinite(result.depth_m).all()
