"""The source `rgbd`: frames with boxes become samples whose truth is that of the scene."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_frames import BLOCKS, CAMERA, Block, camera_pose, cast, noisy, write_frame
from numpy.typing import NDArray

from robo_refer.data import masks, read_samples, shard_paths
from robo_refer.data.images import encode_depth, encode_rgb
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import FloatArray
from robo_refer_data import cli
from robo_refer_data.questions import ask
from robo_refer_data.relations.facts import Facts
from robo_refer_data.sample_checks import stored_problems
from robo_refer_data.sources.build import build, make_sample, plan_source
from robo_refer_data.sources.captions import captions
from robo_refer_data.sources.matching import iou, one_to_one, suppressed
from robo_refer_data.sources.rgbd import RgbdSource
from robo_refer_data.sources.source import WITHOUT_GRAVITY, Seen, open_source
from robo_refer_data.sources.support_plane import find_support, points_of

REAL = Path(
    os.environ.get("ROBO_REFER_REAL_DATA")
    or Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"
)
CLUTTER = Block("", (90, 90, 90), (-0.08, -0.16, 0.0), (-0.02, -0.10, 0.06))


def error_of(call: Callable[[], object]) -> RoboReferError:
    with pytest.raises(RoboReferError) as caught:
        call()
    return caught.value


def overlap(first: FloatArray, second: FloatArray) -> float:
    return float((first & second).sum() / (first | second).sum())


@settings(max_examples=12)
@given(st.floats(20, 85), st.integers(0, 100), st.booleans())
def test_the_support_is_found_under_noise(pitch_deg: float, seed: int, known: bool) -> None:
    pose = camera_pose(pitch_deg)
    _, depth_m, _ = cast(BLOCKS, pose)
    depth_m = noisy(depth_m, seed)
    points = points_of(depth_m, CAMERA)[depth_m > 0]
    up = pose[2, :3]
    plane = find_support(points, np.random.default_rng(seed), up if known else None, 90.0)
    assert plane is not None
    assert np.degrees(np.arccos(np.clip(plane.normal @ up, -1, 1))) < 1.0
    assert plane.offset_m == pytest.approx(-pose[2, 3], abs=0.006)


def test_a_wall_is_no_support() -> None:
    wall = np.zeros((60, 80, 3), np.float32)
    wall[..., :2] = np.random.default_rng(0).uniform(-1, 1, (60, 80, 2))
    wall[..., 2] = 1.5
    points = wall.reshape(-1, 3)
    rng = np.random.default_rng(0)
    assert find_support(points, rng, np.array([0.0, -1.0, 0.0]), 90.0) is None
    assert find_support(points, rng, None, 65.0) is None
    assert find_support(points, rng, None, 100.0) is not None  # seen from above it is a table


@pytest.mark.parametrize("with_pose", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_truth_is_that_of_the_scene(tmp_path: Path, with_pose: bool, named: bool) -> None:
    instance = write_frame(tmp_path / "scans" / "a", with_pose=with_pose, named=named)
    seen = RgbdSource(tmp_path / "scans", tmp_path, None).see("a")
    observation = seen.observation
    assert seen.meta["up"] == ("pose" if with_pose else "plane")
    assert {item.name: item.colour for item in observation.objects} == {
        "box": "red", "mug": "blue", "bowl": "yellow",
    }  # fmt: skip
    for item in observation.objects:
        number = 1 + [block.name for block in BLOCKS].index(item.name)
        assert overlap(masks.decode(item.mask), instance == number) > 0.85
        assert (item.support_id, item.support_kind) == (0, "on")
        bottom = item.T_world_obj[2, 3] - item.size_m[2] / 2
        assert bottom == pytest.approx(0, abs=0.01)
    assert overlap(observation.surface, instance == 0) > 0.9
    facts = Facts(observation)
    apart = facts.distance[facts.names.index("box"), facts.names.index("bowl")]
    assert apart == pytest.approx(np.hypot(0.36, np.hypot(0.06, 0.025)), abs=0.01)


@pytest.mark.parametrize("by", ["box_px", "mask"])
def test_boxes_are_measured_where_none_are_given(tmp_path: Path, by: str) -> None:
    instance = write_frame(tmp_path / "a", named=False)
    rows = json.loads((tmp_path / "a" / "labels.json").read_text())
    if by == "mask":
        rows = [{"name": block.name, "mask": f"{block.name}.png"} for block in BLOCKS]
        for number, block in enumerate(BLOCKS, start=1):
            shown = (instance == number)[..., None].repeat(3, axis=2).astype(np.uint8) * 255
            (tmp_path / "a" / f"{block.name}.png").write_bytes(encode_rgb(shown))
    (tmp_path / "a" / "objects.json").write_text(json.dumps(rows))
    observation = RgbdSource(tmp_path, tmp_path, None).see("a").observation
    for item in observation.objects:
        block = next(block for block in BLOCKS if block.name == item.name)
        size = np.array(block.high) - block.low
        # The side that faces away is not seen.
        np.testing.assert_allclose(item.size_m, size, atol=0.03)
        assert item.support_id == 0


def test_what_is_null_is_not_known(tmp_path: Path) -> None:
    write_frame(tmp_path / "a", named=False)
    path = tmp_path / "a" / "objects.json"
    rows = [{**row, "name": None, "colour": None} for row in json.loads(path.read_text())]
    path.write_text(json.dumps(rows))
    objects = RgbdSource(tmp_path, tmp_path, None).see("a").observation.objects
    assert {item.name: item.colour for item in objects} == {
        "box": "red", "mug": "blue", "bowl": "yellow",
    }  # fmt: skip


def free_regions(seen: Seen) -> list[NDArray[np.bool_]]:
    asked = ask(seen.observation, np.random.default_rng(0), 12, ("free_space",))
    return [masks.decode(question.mask) for question in asked if question.mask]


def test_free_space_keeps_clear_of_what_has_no_name(tmp_path: Path) -> None:
    bare = write_frame(tmp_path / "bare" / "a")
    full = write_frame(tmp_path / "full" / "a", (*BLOCKS, CLUTTER))
    block = (full == len(BLOCKS) + 1) & (bare == 0)
    seen = {n: RgbdSource(tmp_path / n, tmp_path, None).see("a") for n in ("bare", "full")}
    assert [len(Facts(one.observation).unlisted_ids) for one in seen.values()] == [0, 1]
    # Without the nameless block, its place is offered; with it, nothing near it.
    assert any((region & block).any() for region in free_regions(seen["bare"]))
    regions = free_regions(seen["full"])
    assert regions
    assert not any((region & (full > 0)).any() for region in regions)


def test_a_dataset_is_made_resumed_and_consistent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_frame(tmp_path / "scans" / "room" / "000")
    write_frame(tmp_path / "scans" / "room" / "001", BLOCKS[:1])  # one thing is too few
    write_frame(tmp_path / "scans" / "room" / "002", (*BLOCKS, CLUTTER), with_pose=False)
    (tmp_path / "scans" / "dataset.json").write_text('{"name": "blocks", "licence": "CC0"}')
    out = tmp_path / "out"
    cli.main(["source", "rgbd", str(tmp_path / "scans"), "--out", str(out), "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed["scenes"] == 2
    assert printed["left_out"] == {"fewer than two things are seen well enough": 1}
    samples = list(read_samples(out))
    assert [sample.meta["frame"] for sample in samples] == ["room/000", "room/002"]
    for sample in samples:
        assert sample.source == "rgbd"
        assert sample.meta["licence"] == "CC0"
        assert sorted(sample.meta["captions"].values()) == [
            "the blue mug", "the red box", "the yellow bowl",
        ]  # fmt: skip
        assert len(sample.questions) == 16
        assert not list(stored_problems(sample))
        # Not everything is labelled, so that nothing is said to be missing, and nothing counted.
        assert {q.family for q in sample.questions}.isdisjoint({"absent", "counting"})
    cli.main(["validate", str(out), "--workers", "1"])
    assert "no problem" in capsys.readouterr().out
    assert "license: other" in (out / "README.md").read_text()
    # A frame that was left out, and is corrected before the shard is made again, counts no more.
    note = next((out / "left_out").glob("*.json"))
    note.rename(note.with_name("0000000.json"))
    before = shard_paths(out)[0].read_bytes()
    shard_paths(out)[0].unlink()
    plan = plan_source("rgbd", tmp_path / "scans", out, None, 0, 16)
    assert build(out, plan) == printed["left_out"]
    assert shard_paths(out)[0].read_bytes() == before
    again = plan_source("rgbd", tmp_path / "scans", out, None, 1, 16)
    assert error_of(lambda: build(out, again)).code is ErrorCode.BAD_REQUEST


def test_without_any_support_only_the_camera_frame_counts(tmp_path: Path) -> None:
    write_frame(tmp_path / "a", with_pose=False)
    depth = noisy(cast(BLOCKS, camera_pose(40))[1], 0)
    rough = depth * np.random.default_rng(0).uniform(0.7, 1.3, depth.shape)
    (tmp_path / "a" / "depth.png").write_bytes(encode_depth(rough))
    drawn = [
        {"name": "box", "box_px": [40, 80, 90, 150]},
        {"name": "mug", "box_px": [170, 70, 230, 140]},
    ]
    (tmp_path / "a" / "objects.json").write_text(json.dumps(drawn))
    seen = RgbdSource(tmp_path, tmp_path, None).see("a")
    assert seen.meta["up"] == "assumed"
    assert seen.relations == WITHOUT_GRAVITY
    assert "left" in WITHOUT_GRAVITY
    assert "above_world" not in WITHOUT_GRAVITY
    assert not seen.observation.surface.any()


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("objects.json", "[", "cannot be read"),
        ("objects.json", '{"name": "mug"}', "no list"),
        ("objects.json", '[{"name": "mug", "size": [1, 1, 1]}]', "unknown key 'size'"),
        ("objects.json", '[{"name": "mug", "size_m": [1, 1]}]', "not 3 numbers"),
        ("objects.json", '[{"name": "mug", "mask": "../../x.png"}]', "not in its folder"),
        ("objects.json", '[{"name": "mug"}]', "neither"),
        ("labels.json", '[{"name": "mug"}]', "without name or box_px"),
        (
            "objects.json",
            '[{"name": "mug", "T_world_obj": [[2]], "size_m": [1,1,1]}]',
            "no rotation",
        ),
        ("objects.json", '[{"T_world_obj": "there", "size_m": [1,1,1]}]', "no rotation"),
        ("objects.json", '[{"name": "mug", "size_m": [1, 0, 1]}]', "not positive"),
        ("objects.json", '[{"name": "mug", "front_obj": [0, 2, 0]}]', "no unit vector"),
    ],
)
def test_broken_annotations_are_plain_errors(
    tmp_path: Path, file: str, text: str, said: str
) -> None:
    write_frame(tmp_path / "a")
    (tmp_path / "a" / file).write_text(text)
    error = error_of(lambda: RgbdSource(tmp_path, tmp_path, None).see("a"))
    assert error.code is ErrorCode.BAD_FILE
    assert said in error.message


def test_unknown_sources_and_empty_folders_are_plain_errors(tmp_path: Path) -> None:
    assert error_of(lambda: open_source("cad", tmp_path, tmp_path, None)).code is (
        ErrorCode.BAD_REQUEST
    )
    for folder in (tmp_path / "none", tmp_path):
        error = error_of(lambda at=folder: plan_source("rgbd", at, tmp_path, None, 0, 4))
        assert error.code is ErrorCode.BAD_FILE


def test_impossible_options_are_plain_errors(tmp_path: Path) -> None:
    write_frame(tmp_path / "a")
    for options in ({"seed": -1}, {"questions": 0}, {"workers": 0}):
        words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
        arguments = ["source", "rgbd", str(tmp_path), "--out", str(tmp_path / "out"), *words]
        assert error_of(lambda given=arguments: cli.main(given)).code is ErrorCode.BAD_REQUEST
    assert not (tmp_path / "out").exists()


def test_matching_is_one_to_one() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [80, 0, 90, 5]], float)
    labels = np.array([[0, 0, 10, 10], [51, 50, 61, 60]], float)
    # The second box would take the first label too, but the first fits it better.
    assert one_to_one(iou(boxes, labels), 0.3) == [(0, 0), (2, 1)]
    assert one_to_one(iou(boxes, np.zeros((0, 4))), 0.3) == []
    assert suppressed(boxes, np.array([0.5, 0.9, 0.4, 0.3]), 0.5) == [1, 2, 3]


def test_things_of_one_name_are_told_apart_by_their_order(tmp_path: Path) -> None:
    row = tuple(
        Block("box", (200, 30, 30), (x, 0.0, 0.0), (x + 0.07, 0.07, 0.07)) for x in (-0.2, 0.0, 0.2)
    )
    write_frame(tmp_path / "a", row)
    facts = Facts(RgbdSource(tmp_path, tmp_path, None).see("a").observation)
    said = captions(facts)
    assert said is not None
    by_place = [said[facts.ids[k]] for k in np.argsort(facts.u)]
    assert by_place == [
        "the leftmost red box",
        "the second red box from the left",
        "the third red box from the left",
    ]


def test_a_real_frame(tmp_path: Path) -> None:
    """A cluttered table from above, with boxes drawn by hand around eight things."""
    real = REAL / "graspnet"
    if not real.is_dir():
        pytest.skip("no real frame here; name its folder's parent in ROBO_REFER_REAL_DATA")
    frame = tmp_path / "scan" / "frame"
    frame.mkdir(parents=True)
    for name in ("color.png", "depth.png", "camera.json"):
        shutil.copy(real / name, frame)
    drawn = {
        "banana": [455, 95, 610, 365], "elephant": [563, 8, 692, 237], "tube": [292, 193, 532, 392],
        "can": [467, 364, 626, 526], "cup": [595, 270, 703, 378], "bottle": [627, 315, 745, 512],
        "cracker box": [718, 224, 930, 632], "drill": [412, 425, 656, 630],
    }  # fmt: skip
    rows = [{"name": name, "box_px": box} for name, box in drawn.items()]
    (frame / "objects.json").write_text(json.dumps(rows))
    plan = plan_source("rgbd", tmp_path / "scan", tmp_path / "out", None, 0, 24)
    sample = make_sample(plan, tmp_path / "out", 0)
    assert sample is not None
    assert sample.meta["up"] == "plane"
    objects = {item.name: item for item in sample.objects}
    assert set(objects) == set(drawn)
    colours = {name: objects[name].colour for name in ("banana", "elephant", "tube", "cup")}
    assert colours == {"banana": "yellow", "elephant": "grey", "tube": "white", "cup": "blue"}
    # A box of crackers of this make is 16.4 cm wide and lies on its side.
    assert objects["cracker box"].size_m[2] == pytest.approx(0.164, abs=0.02)
    on_table = {item.name for item in sample.objects if item.support_id == 0}
    assert {"banana", "elephant", "tube", "bottle", "cracker box", "drill"} <= on_table
    free = free_regions(RgbdSource(tmp_path / "scan", tmp_path, None).see("frame"))
    assert free
    for region in free:
        assert not region[:, 945:].any()  # the arm's base, which has no name
        for item in sample.objects:
            assert not (region & masks.decode(item.mask)).any()
    assert not list(stored_problems(sample))
