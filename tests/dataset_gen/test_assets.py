"""Every asset can be built, has a believable size and says what it is."""

import numpy as np
import pytest
import trimesh

from robo_refer_data.assets import ASSETS, COLOURS, build_asset
from robo_refer_data.assets import mesh as shapes
from robo_refer_data.assets.palette import FINISH, shade_of
from robo_refer_data.render.kernels import vertex_normals
from robo_refer_data.render.textures import TEXTURES

REQUIRED = {
    "mug", "cup", "bowl", "plate", "bottle", "can", "box", "book", "apple", "banana", "orange",
    "ball", "tube", "drill", "toy elephant", "toy car", "duck",
}  # fmt: skip
NATURAL = ("apple", "banana", "orange", "lemon", "pear", "carrot", "donut", "eggplant", "plant")


def instances(name, count=6):
    spec = ASSETS[name]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        colour = spec.colours[seed % len(spec.colours)]
        material = spec.materials[seed % len(spec.materials)]
        yield build_asset(ASSETS[name], rng, colour, material)


def test_vocabulary_is_wide_enough_and_known():
    assert len(ASSETS) >= 28
    assert set(ASSETS) >= REQUIRED
    for spec in ASSETS.values():
        assert spec.name == spec.name.lower()
        assert set(spec.colours) <= set(COLOURS)
        assert set(spec.materials) <= set(FINISH)
        assert sum(spec.poses.values()) == pytest.approx(1)


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_asset_has_sane_geometry(name):
    for built in instances(name):
        assert built.size_m.min() >= 0.005, built.size_m
        assert 0.03 <= built.size_m.max() <= 0.45, built.size_m
        points = np.concatenate([part.mesh.vertices for part in built.parts])
        np.testing.assert_allclose(points.max(axis=0), built.size_m / 2, atol=1e-9)
        np.testing.assert_allclose(points.min(axis=0), -built.size_m / 2, atol=1e-9)
        triangles = 0
        for part in built.parts:
            vertices, faces = part.mesh.vertices, part.mesh.faces
            assert faces.min() >= 0
            assert faces.max() < len(vertices)
            triangles += len(faces)
            normals = vertex_normals(vertices.astype(np.float32), faces)
            used = np.unique(faces)
            length = np.linalg.norm(normals[used], axis=1)
            # a collapsed ring (a cap's middle) may hold single points without area
            assert (np.abs(length - 1) < 1e-3).mean() > 0.9
            assert part.surface.texture in TEXTURES
        assert 12 <= triangles <= 1600


@pytest.mark.parametrize("name", sorted(set(ASSETS) - set(NATURAL)))
def test_some_large_part_shows_the_named_colour(name):
    for built in instances(name):
        target = np.array(COLOURS[built.colour])
        looks = [part.surface for part in built.parts]
        shown = [look.colour for look in looks]
        shown += [look.second for look in looks if look.texture == "keys"]
        gaps = [np.abs(np.array(colour) - target).max() for colour in shown]
        assert min(gaps) < 0.22, (name, built.colour, gaps)


@pytest.mark.parametrize("word", sorted(COLOURS))
def test_shades_stay_nearest_to_their_own_word(word):
    rng = np.random.default_rng(3)
    for _ in range(200):
        shade = np.array(shade_of(rng, word))
        gaps = {other: np.linalg.norm(shade - np.array(rgb)) for other, rgb in COLOURS.items()}
        assert min(gaps, key=gaps.get) == word


def test_same_generator_same_asset():
    for name in ASSETS:
        one, other = next(instances(name)), next(instances(name))
        for a, b in zip(one.parts, other.parts, strict=True):
            assert a.mesh.vertices.tobytes() == b.mesh.vertices.tobytes()
            assert a.surface == b.surface


def test_cavities_and_tops_lie_within_their_asset():
    found = {"cavity": 0, "top": 0, "shelter": 0}
    for name in ASSETS:
        for built in instances(name):
            x, y, z = built.size_m
            cavity, top, room = built.shape.cavity, built.shape.flat_top_m, built.shape.shelter_m
            if cavity is not None:
                found["cavity"] += 1
                assert 0 < cavity.floor_m < cavity.rim_m <= z + 1e-6
                assert 2 * cavity.radius_m < min(x, y)
            if top is not None:
                found["top"] += 1
                assert top[0] <= x + 1e-9
                assert top[1] <= y + 1e-9
            if room is not None:
                found["shelter"] += 1
                assert room[2] < z
    assert min(found.values()) > 0


def test_fronts_are_unit_vectors():
    for name in ASSETS:
        front = next(instances(name)).shape.front
        assert front is None or np.linalg.norm(front) == pytest.approx(1)


def _volume(mesh):
    return trimesh.Trimesh(mesh.vertices, mesh.faces).volume


def test_primitives_enclose_their_volume_with_faces_outwards():
    assert _volume(shapes.box((0.1, 0.2, 0.3))) == pytest.approx(0.006)
    sphere = shapes.ellipsoid((0.1, 0.2, 0.3), 40, 30)
    assert _volume(sphere) == pytest.approx(4 / 3 * np.pi * 0.006, rel=0.03)
    cylinder = shapes.lathe([(0, 0), (0.1, 0), (0.1, 0.3), (0, 0.3)], 48)
    assert _volume(cylinder) == pytest.approx(np.pi * 0.003, rel=0.01)
    ring = shapes.torus(0.2, 0.05, 48, 24)
    assert _volume(ring) == pytest.approx(2 * np.pi**2 * 0.2 * 0.0025, rel=0.03)
    rod = shapes.rod((0, 0, 0), (0.3, 0.4, 0), 0.05, 48)
    assert _volume(rod) == pytest.approx(np.pi * 0.0025 * 0.5, rel=0.01)
    prism = shapes.rounded_box((0.2, 0.1, 0.05), 0.01)
    assert _volume(prism) == pytest.approx(0.001, rel=0.02)


def test_turning_and_joining_keep_size():
    one = shapes.box((0.1, 0.2, 0.3)).turned(shapes.rotation("x", np.pi / 2))
    np.testing.assert_allclose(np.ptp(one.vertices, axis=0), (0.1, 0.3, 0.2), atol=1e-12)
    both = shapes.join([one, one.moved((1, 0, 0))])
    assert _volume(both) == pytest.approx(0.012)


def test_material_word_is_what_can_be_seen():
    rng = np.random.default_rng(0)
    assert build_asset(ASSETS["spoon"], rng, "brown", "metal").material == "wood"
    assert build_asset(ASSETS["mug"], rng, "grey", "metal").material == "metal"
    assert build_asset(ASSETS["mug"], rng, "red", "metal").material == ""
    assert build_asset(ASSETS["mug"], rng, "red", "ceramic").material == "ceramic"
