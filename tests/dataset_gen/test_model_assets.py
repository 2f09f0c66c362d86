"""Models of others: a furniture library and folders that the test makes, good ones and bad ones."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.assets import build_asset
from robo_refer_data.assets import library as library_module
from robo_refer_data.assets.colour_words import colour_words
from robo_refer_data.assets.library import digest, open_library
from robo_refer_data.assets.model_files import cache_folder, cached_model
from robo_refer_data.assets.palette import COLOURS
from robo_refer_data.assets.sweethome3d import FOLDER, catalogue
from robo_refer_data.making import make_sample
from robo_refer_data.plan import Plan
from robo_refer_data.preflight import check, models_of
from robo_refer_data.scenes import SceneOptions, observe
from robo_refer_data.summary import summarise, write_card

CUBE = """mtllib {mtl}
v -1 0 -2
v 1 0 -2
v 1 0 2
v -1 0 2
v -1 3 -2
v 1 3 -2
v 1 3 2
v -1 3 2
usemtl paint
f 1 2 3 4
f 8 7 6 5
f 1 5 6 2
f 2 6 7 3
f 3 7 8 4
f 4 8 5 1
"""
RED = "newmtl paint\nKd 0.75 0.08 0.08\nNs 30\n"
CATALOGUE = """# PluginFurnitureCatalog.properties
#
# made by hand

id=SweetHome3D#Tiny
name=Tiny
license=Creative Commons Attribution 3.0  \u00a9 Somebody
provider=nobody

id#1=Tiny#mug
name#1=Coffee mug
category#1=Kitchen
icon#1=/tiny/mug.png
model#1=/tiny/mug/mug.obj
multiPartModel#1=true
width#1=8
depth#1=12
height#1=9.5
movable#1=true
doorOrWindow#1=false
creator#1=Jos\\u00e9

id#2=Tiny#door
name#2=Chair
model#2=/tiny/mug/mug.obj
width#2=80
depth#2=10
height#2=110
doorOrWindow#2=true
creator#2=Ann

id#3=Tiny#chair
name#3=Chair
model#3=/tiny/mug/mug.obj
width#3=40
depth#3=42
height#3=90
movable#3=true
doorOrWindow#3=false
modelRotation#3=0 0 1 0 1 0 -1 0 0
creator#3=Ann

id#4=Tiny#whale
name#4=Whale
model#4=/tiny/mug/mug.obj
width#4=10
depth#4=10
height#4=10
doorOrWindow#4=false
creator#4=Ann
"""


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """Give every test a cache of its own, and no library that another one opened."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library_module.open_library.cache_clear()
    cached_model.cache_clear()
    yield
    library_module.open_library.cache_clear()
    cached_model.cache_clear()


@pytest.fixture
def tiny(tmp_path, monkeypatch) -> Path:
    """A furniture library in the format of Sweet Home 3D, installed."""
    folder = tmp_path / "furniture"
    folder.mkdir()
    with zipfile.ZipFile(folder / "Tiny.sh3f", "w") as made:
        made.writestr("LICENSE.TXT", "CC BY")
        made.writestr("PluginFurnitureCatalog.properties", CATALOGUE.encode("latin-1"))
        made.writestr("tiny/mug/mug.obj", CUBE.format(mtl="mug.mtl"))
        made.writestr("tiny/mug/mug.mtl", RED)
    monkeypatch.setenv("ROBO_REFER_SWEETHOME3D", str(folder))
    return folder


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of one good model."""
    path = tmp_path / "mine"
    path.mkdir()
    (path / "cube.obj").write_text(CUBE.format(mtl="cube.mtl"))
    (path / "cube.mtl").write_text(RED)
    listed(path, "{file: cube.obj, name: Brick, size_m: [0.1, 0.2, 0.05], material: plastic}")
    return path


def listed(path: Path, *rows: str, head: str = "creator: Ann\nlicence: CC0\n") -> None:
    (path / "assets.yaml").write_text(head + "models:\n" + "".join(f"  - {r}\n" for r in rows))


def failure(*sources) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        open_library(tuple(str(source) for source in sources))
    return caught.value


def test_catalogue_of_a_library(tiny) -> None:
    whole, pieces = catalogue(tiny / "Tiny.sh3f")
    assert whole["license"].endswith("© Somebody")
    assert [piece["name"] for piece in pieces] == ["Coffee mug", "Chair", "Chair", "Whale"]
    assert pieces[0]["creator"] == "José"


def test_furniture_has_its_name_size_colour_and_credit(tiny) -> None:
    specs = open_library(("sweethome3d",)).specs
    assert [spec.name for spec in specs] == ["chair", "mug"]  # no doors, nothing without a name
    chair, mug = (
        build_asset(spec, np.random.default_rng(0), spec.colours[0], "") for spec in specs
    )
    np.testing.assert_allclose(mug.size_m, [0.08, 0.12, 0.095], atol=1e-6)
    np.testing.assert_allclose(chair.size_m, [0.40, 0.42, 0.90], atol=1e-6)
    assert mug.colour == "red"
    assert mug.shape.origin.model == "Tiny#mug"
    assert mug.shape.origin.creator == "José"
    assert mug.shape.origin.licence.startswith("Creative Commons")
    assert chair.shape.front == (0.0, -1.0, 0.0)
    assert mug.shape.front is None


def test_models_are_parsed_once_and_a_change_is_noticed(tiny, folder) -> None:
    open_library((str(folder),))
    stored = set(cache_folder().glob("*.npz"))
    before = digest((str(folder),))
    assert len(stored) == 1
    library_module.open_library.cache_clear()
    (folder / "cube.mtl").write_text(RED.replace("0.75 0.08 0.08", "0.1 0.25 0.75"))
    assert open_library((str(folder),)).specs[0].colours == ("blue",)
    assert digest((str(folder),)) != before
    assert len(set(cache_folder().glob("*.npz"))) == 2
    plan = Plan(scenes=1, assets=(str(folder),), objects=(1, 3))
    assert models_of(plan)["models"] == digest((str(folder),))
    assert models_of(Plan(scenes=1)) == {}


def test_a_folder_of_models(folder) -> None:
    (spec,) = open_library((str(folder),)).specs
    brick = build_asset(spec, np.random.default_rng(0), "red", "")
    assert spec.name == "brick"
    np.testing.assert_allclose(brick.size_m, [0.1, 0.2, 0.05], atol=1e-6)
    assert brick.material == "plastic"
    listed(folder, "{file: cube.obj, name: brick, size_m: 0.4, turn_deg: 90, front: [0, 2, 0]}")
    library_module.open_library.cache_clear()
    (spec,) = open_library((str(folder),)).specs
    brick = build_asset(spec, np.random.default_rng(0), "red", "")
    np.testing.assert_allclose(brick.size_m, [0.4, 0.2, 0.3], atol=1e-6)  # y up: 2 x 4 x 3
    assert brick.shape.front == (0.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{file: cube.obj, name: brick}", "has no size"),
        ("{file: cube.obj, name: brick, size_m: [1, 2]}", "size_m"),
        ("{file: cube.obj, name: brick, size_m: -1}", "has no size"),
        ("{file: cube.obj, size_m: 0.1}", "no name"),
        ("{file: none.obj, name: brick, size_m: 0.1}", "not there"),
        ("{file: cube.obj, name: brick, size_m: 0.1, sise: 2}", "unknown key 'sise'"),
        ("{file: cube.obj, name: brick, size_m: 0.1, colour: mauve}", "mauve"),
        ("{file: cube.obj, name: brick, size_m: 0.1, up: x}", "up: x"),
        ("{file: cube.obj, name: brick, size_m: 0.1, turn_deg: 30}", "turn_deg"),
        ("{file: cube.obj, name: brick, size_m: 0.1, 7: 2}", "unknown key '7'"),
        ("{file: cube.obj, name: brick, size_m: 0.1, weight: 0}", "weight 0"),
        ("{file: cube.obj, name: brick, size_m: 0.1, front: [0, 0, 0]}", "points nowhere"),
        ("{file: cube.obj, name: brick, size_m: 0.1, licence: 4.0}", "licence 4.0"),
        ("[", "is not YAML"),
        ("7", "no list 'models'"),
    ],
)
def test_a_wrong_list_says_what_is_wrong(folder, row, said) -> None:
    listed(folder, row)
    error = failure(folder)
    assert error.code is ErrorCode.BAD_FILE
    assert said in error.message
    assert "assets.yaml" in error.message
    assert error.remedy


def test_a_mesh_may_lie_elsewhere_and_nobody_need_be_named(folder, tmp_path) -> None:
    moved = tmp_path / "elsewhere.obj"
    moved.write_text(CUBE.format(mtl="cube.mtl"))
    listed(folder, f"{{file: {moved}, name: brick, size_m: 0.1}}", head="creator: null\n")
    (spec,) = open_library((str(folder),)).specs
    origin = build_asset(spec, np.random.default_rng(0), spec.colours[0], "").shape.origin
    assert (origin.model, origin.creator, origin.licence) == ("elsewhere.obj", "", "")


def test_a_cache_that_cannot_be_written_is_an_error(folder, tmp_path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    error = failure(folder)
    assert error.code is ErrorCode.BAD_FILE
    assert "XDG_CACHE_HOME" in error.remedy


@pytest.mark.parametrize(
    "content", ["", "this is no mesh", "v 0 0 0\nv nan 1 1\nv 1 1 1\nf 1 2 3\n"]
)
def test_a_broken_mesh_is_named(folder, content) -> None:
    (folder / "broken.obj").write_text(content)
    good = "{file: cube.obj, name: brick, size_m: 0.1}"
    listed(folder, good, "{file: broken.obj, name: ruin, size_m: 0.1}")
    error = failure(folder)
    assert error.code is ErrorCode.BAD_FILE
    assert "broken.obj" in error.message
    (folder / "broken.glb").write_bytes(b"glTF" + bytes(20))
    listed(folder, good, "{file: broken.glb, name: ruin, size_m: 0.1}")
    assert "broken.glb" in failure(folder).message


def test_missing_sources(tmp_path, folder, monkeypatch) -> None:
    assert failure(tmp_path / "nowhere").code is ErrorCode.BAD_REQUEST
    (folder / "assets.yaml").unlink()
    assert "is missing" in failure(folder).message
    monkeypatch.setenv("ROBO_REFER_SWEETHOME3D", str(tmp_path / "none"))
    error = failure("sweethome3d")
    assert error.code is ErrorCode.MISSING_DEPENDENCY
    assert "apt-get install sweethome3d-furniture" in error.remedy
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.sh3f").write_bytes(b"no zip")
    assert failure("sweethome3d").code is ErrorCode.BAD_FILE


def test_too_many_and_too_large_things_are_refused_before_work(folder) -> None:
    def refused(world, objects, size):
        library_module.open_library.cache_clear()
        listed(folder, f"{{file: cube.obj, name: brick, size_m: {size}}}")
        plan = Plan(scenes=1, assets=(str(folder),), objects=objects, world=(world,))
        with pytest.raises(RoboReferError) as caught:
            check(plan)
        assert caught.value.code is ErrorCode.BAD_REQUEST
        return str(caught.value)

    assert "--objects 1 " in refused("tabletop", (25, 30), 0.4)
    assert "None of these objects fits" in refused("shelf", (1, 3), 2.0)
    listed(folder, "{file: cube.obj, name: brick, size_m: 0.1}")
    library_module.open_library.cache_clear()
    check(Plan(scenes=1, assets=(str(folder),), objects=(3, 12)))


def test_scenes_of_models_carry_their_credits(tiny, folder, tmp_path) -> None:
    from robo_refer.data import write_shard

    plan = Plan(
        scenes=1, width=160, height=120, half="natural", questions=6, objects=(4, 6),
        assets=("parametric", "sweethome3d", str(folder)), world=("floor",),
    )  # fmt: skip
    samples = [make_sample(plan, index) for index in range(3)]
    credits = [model for sample in samples for model in sample.meta.get("credits", ())]
    assert {model["creator"] for model in credits} & {"José", "Ann"}
    assert samples[0].source == "floor"
    (tmp_path / "set" / "data").mkdir(parents=True)
    write_shard(tmp_path / "set" / "data" / "train-00000.parquet", iter(samples))
    summary = summarise(tmp_path / "set")
    write_card(tmp_path / "set", plan.as_manifest(), summary)
    card = (tmp_path / "set" / "README.md").read_text()
    assert "license: other" in card
    assert "| CC0 |" in card or "Creative Commons" in card
    assert summary.worlds["floor"] == 3


def test_pictures_of_models_are_seen(tmp_path) -> None:
    import cv2

    path = tmp_path / "textured"
    path.mkdir()
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:16] = (0, 0, 200)  # BGR: the upper half is red, the lower one green
    picture[16:] = (0, 150, 0)
    cv2.imwrite(str(path / "paint.png"), picture)
    quad = "mtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 .1\nvt 1 .1\nvt 1 .9\nvt 0 .9\n"
    solid = quad + "v 0.5 0.5 0.2\nusemtl paint\nf 1/1 2/2 3/3 4/4\nf 1/1 5/1 2/2\nf 3/3 5/3 4/4\n"
    (path / "a.obj").write_text(solid)
    (path / "a.mtl").write_text("newmtl paint\nKd 1 1 1\nmap_Kd paint.png\n")
    listed(path, "{file: a.obj, name: sign, size_m: [0.3, 0.06, 0.3]}")
    (spec,) = open_library((str(path),)).specs
    assert spec.colours == ("",)  # half red, half green
    options = SceneOptions(assets=(str(path),), objects=(2, 3))
    colours = []
    for seed in range(6):
        seen = observe(seed, "decorrelated", 160, 120, options)
        colours += [seen.rgb[seen.instance > 0].astype(int)]
    pixels = np.concatenate(colours)
    red = (pixels[:, 0] > 1.5 * pixels[:, 1] + 5).mean()
    green = (pixels[:, 1] > 1.5 * pixels[:, 0] + 5).mean()
    assert red > 0.1
    assert green > 0.1


def test_colour_words_know_their_own_colours() -> None:
    assert colour_words(np.array(list(COLOURS.values()))) == list(COLOURS)
    assert colour_words(np.array([[0.98, 0.98, 0.98], [0.65, 0.45, 0.3]])) == ["white", "brown"]


@pytest.mark.slow
@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the package sweethome3d-furniture")
def test_the_real_libraries(monkeypatch) -> None:
    monkeypatch.delenv("ROBO_REFER_SWEETHOME3D", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME")  # parsing takes a while: use what is there
    specs = open_library(("sweethome3d",)).specs
    assert len(specs) >= 120
    assert all(0.01 < spec.span_m <= 1.2 for spec in specs)
    assert sum(spec.colours != ("",) for spec in specs) > 80
