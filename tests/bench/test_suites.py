from __future__ import annotations

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robo_refer.data.masks import encode
from robo_refer.errors import RoboReferError
from robo_refer.geometry import lift_point
from robo_refer_bench.catalogue import catalogue, text
from robo_refer_bench.records import Record
from robo_refer_bench.scoring import strict
from robo_refer_bench.suites import SUITES, find_split, find_suite
from robo_refer_bench.suites.base import ChoiceTruth, MaskTruth, PlaceTruth
from robo_refer_bench.suites.bitmask import BitMask
from robo_refer_bench.suites.digest import content_hash
from robo_refer_bench.suites.generated import coco_size
from robo_refer_bench.suites.mask_files import MaskCache, decode_mask
from tests.bench import made_suites as made

FIRST_SPLITS = {
    "refspatial_bench": "Location",
    "refspatial_expand_bench": "Location",
    "where2place": "test",
    "robospatial_home": "context",
    "cv_bench": "Relation",
    "blink": "Relative_Depth",
    "sat": "test",
    "embspatial": "test",
    "refcoco": "refcoco_val",
    "roborefit": "testA",
    "screenspot_v2": "web",
    "screenspot_pro": "test",
    "open6dor": "level1",
}
MAKERS = {
    "refspatial_bench": made.refspatial_folder,
    "refspatial_expand_bench": made.expand,
} | {name: getattr(made, name) for name in FIRST_SPLITS if not name.startswith("refspatial")}


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in MAKERS.items()}


def answered(item, *points, **more) -> Record:
    return Record("s", "t", item.id, "m", "roborefer", "", "", points=tuple(points), **more)


@pytest.mark.parametrize("name", MAKERS)
def test_items_are_read_from_the_published_layout(roots, name):
    items = SUITES[name].items(FIRST_SPLITS[name], roots[name])
    assert items
    assert len({item.id for item in items}) == len(items)
    for item in items:
        assert item.prompt
        frame = item.frame()
        assert frame.width >= made.WIDTH
    assert content_hash(items) == content_hash(SUITES[name].items(FIRST_SPLITS[name], roots[name]))


@pytest.mark.parametrize("name", [n for n in MAKERS if n not in ("open6dor",)])
def test_right_and_wrong_answers_are_told_apart(roots, name):
    """Every miniature has its truth in the left half, or among options."""
    item = SUITES[name].items(FIRST_SPLITS[name], roots[name])[0]
    if isinstance(item.truth, ChoiceTruth):
        for index, option in enumerate(item.truth.options):
            record = Record(
                "s", "t", item.id, "m", "roborefer", "", f"({chr(65 + index)}) {option}"
            )
            assert strict(record, item).score == (index == item.truth.correct)
    else:
        assert strict(answered(item, (0.25, 0.5)), item).score == 1
        assert strict(answered(item, (0.75, 0.5)), item).score == 0
        assert strict(answered(item, (0.75, 0.5), (0.25, 0.5)), item).score == 0  # first decides
        assert strict(answered(item), item).reason == "refused"


@pytest.mark.parametrize("name", MAKERS)
def test_an_empty_folder_is_a_clear_error(tmp_path, name):
    with pytest.raises(RoboReferError) as caught:
        SUITES[name].items(FIRST_SPLITS[name], tmp_path)
    assert caught.value.code.name == "BAD_FILE"
    assert str(tmp_path) in caught.value.message
    assert "bench suites" in caught.value.remedy


def test_both_forms_of_refspatial_bench_are_the_same_suite(tmp_path):
    suite = SUITES["refspatial_bench"]
    folder = suite.items("Location", made.refspatial_folder(tmp_path / "folder"))
    parquet = suite.items("Location", made.refspatial_parquet(tmp_path / "parquet"))
    assert content_hash(folder) == content_hash(parquet)
    np.testing.assert_array_equal(folder[3].frame().rgb, parquet[3].frame().rgb)
    assert [item.steps for item in folder] == [1, 2, 3, 1]
    assert folder[1].target == "mug 1"
    assert folder[1].instruction == f"Please point out mug 1. {made.SUFFIX}"


def test_expand_bench_says_indoor_or_outdoor(roots):
    items = SUITES["refspatial_expand_bench"].items("Location", roots["refspatial_expand_bench"])
    assert items[0].tags["scene"] == "indoor"


@pytest.mark.parametrize(
    ("change", "code", "word"),
    [
        ({"mask_path": "../../../etc/passwd"}, "BAD_SAMPLE", "leads out"),
        ({"rgb_path": "image/9.png"}, "BAD_FILE", "9.png"),
        ({"step": "two"}, "BAD_SAMPLE", "whole number"),
        ({"prompt": None}, "BAD_SAMPLE", "prompt"),
        ({"id": 0}, "BAD_SAMPLE", "two of its items"),
    ],
)
def test_a_bad_question_is_a_clear_error_before_anything_is_asked(tmp_path, change, code, word):
    root = made.refspatial_folder(tmp_path)
    path = root / "Location/question.json"
    rows = json.loads(path.read_text())
    made.write_json(path, [*rows[:-1], rows[-1] | change])
    with pytest.raises(RoboReferError) as caught:
        SUITES["refspatial_bench"].items("Location", root)
    assert caught.value.code.name == code
    assert word in caught.value.message


def test_a_mask_of_another_shape_is_refused_and_a_smaller_one_is_read(tmp_path):
    root = made.refspatial_folder(tmp_path)
    suite = SUITES["refspatial_bench"]
    made.write_bytes(root / "Location/mask/1.png", made.encoded(made.left_half((20, 15))))
    item = suite.items("Location", root)[1]
    assert strict(answered(item, (0.49, 0.9)), item).score == 1
    made.write_bytes(root / "Location/mask/1.png", made.encoded(made.left_half((30, 40))))
    with pytest.raises(RoboReferError, match="mask is 30x40 but its picture 40x30"):
        suite.items("Location", root)


def test_questions_that_are_no_list(tmp_path):
    made.write_json(tmp_path / "Location/question.json", {"a": 1})
    with pytest.raises(RoboReferError, match="not a list of questions"):
        SUITES["refspatial_bench"].items("Location", tmp_path)
    made.write_bytes(tmp_path / "Location/question.json", b'[{"id": 1,')
    with pytest.raises(RoboReferError, match="not JSON"):
        SUITES["refspatial_bench"].items("Location", tmp_path)


def test_parquet_that_is_damaged_or_foreign(tmp_path):
    path = tmp_path / "data/location-00000-of-00001.parquet"
    made.write_bytes(path, b"PAR1 no")
    with pytest.raises(RoboReferError, match="not a readable Parquet"):
        SUITES["refspatial_bench"].items("Location", tmp_path)
    made.write_parquet(tmp_path / "other/location.parquet", [{"id": 1}])
    with pytest.raises(RoboReferError, match="no column 'object'"):
        SUITES["refspatial_bench"].items("Location", tmp_path / "other")


def test_where2place_masks_are_cut_at_half_grey(roots):
    item = SUITES["where2place"].items("test", roots["where2place"])[0]
    assert isinstance(item.truth, MaskTruth)
    np.testing.assert_array_equal(item.truth.load().array(), made.left_half() > 0)


def test_sat_shows_both_pictures_and_hides_the_published_order(roots):
    item = SUITES["sat"].items("test", roots["sat"])[0]
    assert item.frame().width == 2 * made.WIDTH
    truth = item.truth
    assert isinstance(truth, ChoiceTruth)
    assert truth.options[truth.correct] == "left"
    for letter, option in zip("AB", truth.options, strict=True):
        assert f"{letter}. {option}" in item.prompt


def test_cv_bench_splits_share_files(roots):
    suite, root = SUITES["cv_bench"], roots["cv_bench"]
    assert [item.id for split in suite.splits for item in suite.items(split, root)] == [*"0123"]


def test_every_expression_of_refcoco_is_an_item(roots):
    items = SUITES["refcoco"].items("refcoco_val", roots["refcoco"])
    assert [item.target for item in items] == ["the left mug", "mug on the left"]
    assert items[0].picture == items[1].picture


def test_open6dor_judges_places_in_the_world(roots):
    (left,) = SUITES["open6dor"].items("level1", roots["open6dor"])
    (between,) = SUITES["open6dor"].items("level2", roots["open6dor"])
    assert isinstance(left.truth, PlaceTruth)
    assert strict(answered(left, place_m=(0.5, -0.1, 0.3)), left).score == 1
    assert strict(answered(left, place_m=(0.5, 0.1, 0.3)), left).score == 0
    assert strict(answered(left), left).reason == "no_place"
    assert strict(answered(between, place_m=(9.0, 0.1, 0.3)), between).score == 1
    assert strict(answered(between, place_m=(9.0, 0.3, 0.3)), between).score == 0


def test_open6dor_camera_looks_at_the_table(roots):
    """What is left in the picture is left of its middle, and y grows to the right."""
    (item,) = SUITES["open6dor"].items("level1", roots["open6dor"])
    frame = item.frame()
    middle = lift_point(frame, (0.5, 0.5)).p_frame_m
    left = lift_point(frame, (0.2, 0.5)).p_frame_m
    assert middle is not None
    assert left is not None
    np.testing.assert_allclose(middle, (1 - 0.42993355, 0, 1.2 - 0.9028605), atol=1e-3)
    assert left[1] < middle[1] - 0.1


def test_generated_scenes_are_a_suite(discs):
    items = SUITES["generated"].items("all", discs)
    assert len(items) == 12 * 7
    assert items[0].id == "d-0000/0"
    assert {item.tags["family"] for item in items} == {"object", "free_space", "absent"}
    assert items[0].controls().keys() >= {"random_object", "image_centre"}
    assert items[0].frame().depth_m is not None
    absent = next(item for item in items if item.tags["family"] == "absent")
    assert strict(answered(absent), absent).score == 1
    assert strict(answered(absent, (0.5, 0.5)), absent).score == 0


def test_names_of_suites_and_splits():
    assert find_suite("blink").title == "BLINK"
    assert find_split(SUITES["refspatial_bench"], "location") == "Location"
    with pytest.raises(RoboReferError, match="no suite 'blonk'"):
        find_suite("blonk")
    with pytest.raises(RoboReferError, match="no split 'Train'"):
        find_split(SUITES["refspatial_bench"], "Train")


def test_the_catalogue_says_how_to_get_and_checks_a_copy(roots):
    rows = catalogue()
    assert len(rows) == len(SUITES)
    assert all(row["how_to_get"] for row in rows)
    (row,) = catalogue("where2place", roots["where2place"])
    assert row["splits"]["test"]["items"] == 2
    assert row["splits"]["test"]["published"] == 100
    assert "hf download wentao-yuan/where2place" in text([row])
    with pytest.raises(RoboReferError, match="Of which suite"):
        catalogue(None, roots["where2place"])


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 2**32 - 1))
def test_a_bit_mask_is_the_mask(width, height, seed):
    mask = np.random.default_rng(seed).random((height, width)) > 0.5
    packed = BitMask.of(mask)
    np.testing.assert_array_equal(packed.array(), mask)
    v, u = np.indices(mask.shape)
    np.testing.assert_array_equal(packed[v.ravel(), u.ravel()], mask.ravel())


def test_masks_are_read_as_published_evaluators_read_them():
    grey = made.left_half()
    colour = np.dstack([np.full_like(grey, 9), np.zeros_like(grey), grey])  # BGR: red decides
    for image in (grey, colour, np.dstack([colour, np.zeros_like(grey)])):
        mask = decode_mask(made.encoded(image), "m")
        np.testing.assert_array_equal(mask.array(), grey > 0)
    with pytest.raises(RoboReferError, match="damaged"):
        decode_mask(b"no picture", "m")


def palette_png(values: np.ndarray, colours: bytes) -> bytes:
    """Return a PNG whose pixels are numbers of colours."""
    height, width = values.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    rows = b"".join(b"\0" + row.tobytes() for row in values.astype(np.uint8))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        chunk(*part)
        for part in (
            (b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
        )
    )  # fmt: skip


def test_of_a_mask_with_a_palette_the_number_counts_not_the_colour():
    values = made.left_half() // 255
    for colours in (bytes([0, 0, 0, 255, 255, 255]), bytes([200, 9, 9, 0, 90, 0])):
        mask = decode_mask(palette_png(values, colours), "m")
        np.testing.assert_array_equal(mask.array(), values > 0)


def test_the_cache_of_masks_is_bounded_and_sees_changed_files(tmp_path):
    cache = MaskCache(max_bytes=500)
    for number in range(20):
        made.write_bytes(tmp_path / f"{number}.png", made.encoded(made.left_half()))
        cache.read(tmp_path / f"{number}.png")
    assert cache._bytes <= 500
    assert cache.read(tmp_path / "0.png")[0, 0] == 1
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((7, 9), np.uint8))
    assert cache.read(tmp_path / "0.png").shape == (7, 9)


def test_hashes_tell_editions_apart(roots):
    items = SUITES["refspatial_bench"].items("Location", roots["refspatial_bench"])
    changed = [*items[:-1], replace(items[-1], prompt="another")]
    flipped = [*items[:-1], replace(items[-1], truth=MaskTruth(lambda: BitMask.of(np.eye(9))))]
    assert len({content_hash(found) for found in (items, changed, flipped, items[:-1])}) == 4


@pytest.mark.parametrize(
    ("pixels", "size"),
    [(1, "small"), (1023, "small"), (1024, "medium"), (9216, "medium"), (9217, "large")],
)
def test_sizes_of_targets_are_those_of_coco(pixels, size):
    mask = np.zeros((480, 640), bool)
    mask.flat[:pixels] = True
    assert coco_size(encode(mask)) == size
