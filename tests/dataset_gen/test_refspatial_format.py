"""The layout of RefSpatial: ours is what its code reads, and its noise is counted, not fatal."""

from __future__ import annotations

import json
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from robo_refer.data import Question, Sample, images, masks, read_samples, write_shard
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.metrics.hits import score_answer
from robo_refer.relative_depth import relative_depth
from robo_refer.types import Answer, CameraModel, Step
from robo_refer_data.formats.json_array import read_array, write_array
from robo_refer_data.formats.refspatial import export_refspatial, import_refspatial
from robo_refer_data.formats.refspatial_reading import Scene, read_scenes
from robo_refer_data.formats.refspatial_text import read_steps

WIDTH, HEIGHT = 40, 30
STEPS = (
    Step("position", "red mug", (0.412, 0.633)),
    Step("orientation", "mug handle", (0.312, 0.316, -0.896)),
    Step("size", "red mug", (0.09,)),
)
LINES = (
    "[Position] [red mug]: [(0.412, 0.633)]\n"
    "[Orientation] [mug handle]: (0.312, 0.316, -0.896)\n"
    "[Size] [red mug]: 0.090"
)


def make_sample(number: int = 0, **changes: Any) -> Sample:
    rng = np.random.default_rng(number)
    mask = masks.encode(np.ones((HEIGHT, WIDTH), bool))
    questions = (
        Question("left_of", "object", 1, "left of the mug",
                 Answer(((0.25, 0.5),), STEPS), (), mask),
        Question("free_left_of", "free_space", 1, "put it there",
                 Answer(((0.25, 0.5), (0.125, 1.0)),), (), mask),
        Question("absent_name", "absent", 0, "the spoon", Answer(()), (), None),
        Question("distance", "numeric", 1, "how far is it?", Answer((), STEPS[:1]), (), None,
                 reply="0.42 m"),
    )  # fmt: skip
    fields: dict[str, Any] = {
        "id": f"s0/{number}",
        "rgb": rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8),
        "depth_m": rng.uniform(0.3, 3, (HEIGHT, WIDTH)).astype(np.float32),
        "camera": CameraModel(WIDTH, HEIGHT, 35.5, 36.25, 19.5, 14.5),
        "objects": (),
        "questions": questions,
    }
    return Sample(**fields | changes)


def export(folder: Path, *samples: Sample) -> tuple[Path, dict[str, int]]:
    write_shard(folder / "ours" / "data" / "train-00000.parquet", samples)
    return folder / "RefSpatial", export_refspatial(folder / "ours", folder / "RefSpatial")


def read(root: Path) -> tuple[list[Scene], Counter[str]]:
    counts: Counter[str] = Counter()
    scenes = list(read_scenes(root, counts))
    left_out = sum(count for name, count in counts.items() if name.startswith("record_"))
    assert counts["records"] == len(scenes) + left_out
    left_out = sum(count for name, count in counts.items() if name.startswith("question_"))
    assert counts["pairs"] == sum(len(scene.questions) for scene in scenes) + left_out
    return scenes, +counts


def code_of(call: Callable[[], object]) -> ErrorCode:
    with pytest.raises(RoboReferError) as caught:
        call()
    assert "\n" not in caught.value.message
    assert caught.value.remedy
    return caught.value.code


# --- ours, written


def test_a_record_is_what_the_released_code_reads(tmp_path: Path) -> None:
    root, counts = export(tmp_path, make_sample())
    assert counts == {
        "scenes": 1, "questions": 4, "scenes_without_questions": 0, "scenes_without_depth": 0,
    }  # fmt: skip
    (record,) = json.loads((root / "Simulator" / "metadata.json").read_text())
    assert record == {
        "id": "s0/0",
        "image": ["00000000.png"],
        "depth": ["00000000.png"],
        "conversations": [
            {"from": "human", "value": "<image>\nleft of the mug"},
            {"from": "gpt", "value": "[(0.250, 0.500)]"},
            {"from": "human", "value": "put it there"},
            {"from": "gpt", "value": "[(0.250, 0.500), (0.125, 1.000)]"},
            {"from": "human", "value": "the spoon"},
            {"from": "gpt", "value": "[]"},
            {"from": "human", "value": "how far is it?"},
            {"from": "gpt", "value": "0.42 m"},
        ],
        "think": [
            {"question_type": "left_of", "thinking": LINES},
            {"question_type": "free_left_of", "thinking": ""},
            {"question_type": "absent_name", "thinking": ""},
            {"question_type": "distance", "thinking": LINES.partition("\n")[0]},
        ],
    }
    depth = cv2.imread(str(root / "Simulator/depth/00000000.png"), cv2.IMREAD_UNCHANGED)
    assert depth.shape == (HEIGHT, WIDTH, 3)
    assert depth.dtype == np.uint8
    names = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert names == {f"Simulator/{name}" for name in
                     ("metadata.json", "image/00000000.png", "depth/00000000.png")}  # fmt: skip


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    samples = [make_sample(0), make_sample(1, depth_m=None), make_sample(2)]
    root, exported = export(tmp_path, *samples)
    assert exported["scenes_without_depth"] == 1
    scenes, counts = read(root)
    assert counts == {"records": 3, "pairs": 12, "depth_missing": 1}
    assert len({scene.id for scene in scenes}) == 3
    for scene, sample in zip(scenes, samples, strict=True):
        assert scene.meta["id"] == sample.id
        np.testing.assert_array_equal(scene.rgb, sample.rgb)
        assert (scene.relative_depth is None) == (sample.depth_m is None)
        if sample.depth_m is not None:
            stored_m = images.decode_depth(images.encode_depth(sample.depth_m))
            np.testing.assert_array_equal(scene.relative_depth, relative_depth(stored_m))
        for back, question in zip(scene.questions, sample.questions, strict=True):
            assert (back.text, back.kind, back.answer, back.reply) == (
                question.text, question.kind, question.answer, question.reply,
            )  # fmt: skip
            assert back.mask is None
        families = [back.family for back in scene.questions]
        assert families == ["point", "point", "absent", "words"]


def test_raw_image_bytes_are_those_of_the_dataset(tmp_path: Path) -> None:
    root, _ = export(tmp_path, make_sample())
    stored = (root / "Simulator" / "image" / "00000000.png").read_bytes()
    assert stored == images.encode_rgb(make_sample().rgb)


def test_scenes_without_questions_are_counted(tmp_path: Path) -> None:
    root, counts = export(tmp_path, make_sample(0, questions=()), make_sample(1))
    assert (counts["scenes"], counts["scenes_without_questions"]) == (1, 1)
    assert [scene.meta["id"] for scene in read(root)[0]] == ["s0/1"]


def test_an_export_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(depth_m: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("robo_refer_data.formats.refspatial.relative_depth", broken)
        with pytest.raises(KeyboardInterrupt):
            export(tmp_path, make_sample())
    assert not list(tmp_path.rglob("*.json*"))
    assert export(tmp_path, make_sample())[1]["scenes"] == 1
    assert code_of(lambda: export(tmp_path, make_sample())) is ErrorCode.BAD_REQUEST


def test_export_of_nothing_and_to_nowhere(tmp_path: Path) -> None:
    assert code_of(lambda: export_refspatial(tmp_path, tmp_path / "out")) is ErrorCode.BAD_FILE
    assert not (tmp_path / "out").exists()
    (tmp_path / "RefSpatial").write_text("a file")
    assert code_of(lambda: export(tmp_path, make_sample())) is ErrorCode.BAD_FILE


# --- relative depth


def test_relative_depth_is_bright_where_near_and_forgives_strays() -> None:
    depth_m = np.tile(np.linspace(0.5, 2.0, 200, dtype=np.float32), (40, 1))
    relative = relative_depth(depth_m)
    assert relative is not None
    assert (int(relative[0, 0]), int(relative[0, -1])) == (255, 0)
    assert (np.diff(relative[0].astype(int)) <= 0).all()
    stray = depth_m.copy()
    stray[0, :5] = 0.06
    stray[1, :5] = (0.0, np.nan, np.inf, -1.0, 100.0)
    again = relative_depth(stray)
    assert again is not None
    # Between the extremes, 0.06 m would leave everything else darker than 30.
    assert np.abs(again[5:].astype(int) - relative[5:]).max() <= 8
    assert (again[1, :5] == 0).all()


def test_relative_depth_of_one_plane_and_of_nothing() -> None:
    plane = relative_depth(np.ones((4, 4), np.float32))
    assert plane is not None
    assert (plane == 128).all()
    assert relative_depth(np.zeros((4, 4), np.float32)) is None


# --- theirs, read


def made(root: Path, *records: Any, split: str = "Simulator", file: str = "metadata") -> Path:
    """A release with one image, a.png, and its depth."""
    folder = root / split
    for name, image in (("image", np.zeros((20, 30, 3), np.uint8)),
                        ("depth", np.full((20, 30, 3), 7, np.uint8))):  # fmt: skip
        (folder / name).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / name / "a.png"), image)
    (folder / f"{file}.json").write_text(json.dumps(records))
    return root


def record(*pairs: tuple[str, str], **changes: Any) -> dict[str, Any]:
    turns = [
        {"from": who, "value": text}
        for pair in pairs or (("the mug", "[(0.500, 0.500)]"),)
        for who, text in zip(("human", "gpt"), pair, strict=True)
    ]
    fields = {"id": 7, "image": ["a.png"], "depth": ["a.png"], "conversations": turns} | changes
    return {key: value for key, value in fields.items() if value is not ...}


TURN = {"from": "human", "value": "the mug"}
BAD_RECORDS: dict[str, tuple[Any, str]] = {
    "no record": (3, "record_malformed"),
    "no conversations": (record(conversations=None), "record_malformed"),
    "a turn without text": (record(conversations=[TURN, {"from": "gpt"}]), "record_malformed"),
    "no turns": (record(conversations=[]), "record_without_turns"),
    "odd turns": (record(conversations=[TURN]), "record_odd_turns"),
    "two humans": (record(conversations=[TURN, TURN]), "record_turns_not_alternating"),
    "too few thoughts": (record(think=[]), "record_think_mismatch"),
    "thoughts of numbers": (record(think=[3]), "record_malformed"),
    "two images": (record(image=["a.png", "b.png"]), "record_several_images"),
    "no image": (record(image=...), "record_malformed"),
    "an image elsewhere": (record(image=["../image/a.png"]), "record_malformed"),
    "an absolute image": (record(image=["/a.png"]), "record_malformed"),
    "a missing image": (record(image=["b.png"]), "record_image_missing"),
    "a cut-off image": (record(image=["cut.png"]), "record_image_unreadable"),
    "no questions": (record(("the mug", "")), "record_without_questions"),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_bad_record_is_counted(tmp_path: Path, name: str) -> None:
    bad, reason = BAD_RECORDS[name]
    root = made(tmp_path, bad, record())
    whole = (root / "Simulator/image/a.png").read_bytes()
    (root / "Simulator/image/cut.png").write_bytes(whole[:-20])
    scenes, counts = read(root)
    assert len(scenes) == 1
    assert counts[reason] == 1


BAD_PAIRS = {
    "question_empty": [("<image>\n", "[(0.500, 0.500)]")],
    "question_runaway_text": [("the mug" + "/" * 40, "[(0.500, 0.500)]")],
    "question_bad_points": [("the box", "[(1.500, 0.500)]"), ("the cup", "(0.5, 0.5)")],
    "question_conflicting": [("the can", "[(0.500, 0.500)]"), ("the can", "On the left.")],
    "question_duplicate": [("the mug", "[(0.500, 0.500)]")],
}


@pytest.mark.parametrize("reason", BAD_PAIRS)
def test_a_bad_question_is_counted(tmp_path: Path, reason: str) -> None:
    good = ("<image>\nthe mug", "[(0.500, 0.500)]")
    (scene,), counts = read(made(tmp_path, record(good, *BAD_PAIRS[reason])))
    assert [question.text for question in scene.questions] == ["the mug"]
    assert counts == {"records": 1, "pairs": 1 + len(BAD_PAIRS[reason]),
                      reason: len(BAD_PAIRS[reason])}  # fmt: skip


def test_answers_in_words_are_kept(tmp_path: Path) -> None:
    pairs = [("Which?", "(A) the mug."), ("How far?", "0.71 m"), ("Where?", "At (0.5, 0.5).")]
    root = made(tmp_path, record(*pairs), split="2D", file="choice_qa")
    (scene,), _ = read(root)
    assert [question.reply for question in scene.questions] == [said for _, said in pairs]
    assert {question.family for question in scene.questions} == {"words"}
    assert {question.kind for question in scene.questions} == {"choice_qa"}


BAD_DEPTHS = {
    "depth_missing": None,
    "depth_unreadable": b"no image",
    "depth_of_other_size": np.zeros((20, 31, 3), np.uint8),
    "depth_not_8_bit": np.zeros((20, 30), np.uint16),
    "depth_not_grey": np.eye(3, dtype=np.uint8)[np.zeros((20, 30), int)],
}


@pytest.mark.parametrize("reason", BAD_DEPTHS)
def test_a_bad_depth_is_left_out_alone(tmp_path: Path, reason: str) -> None:
    root = made(tmp_path, record())
    path = root / "Simulator" / "depth" / "a.png"
    depth = BAD_DEPTHS[reason]
    if depth is None:
        path.unlink()
    elif isinstance(depth, bytes):
        path.write_bytes(depth)
    else:
        cv2.imwrite(str(path), depth)
    (scene,), counts = read(root)
    assert scene.relative_depth is None
    assert counts == {"records": 1, "pairs": 1, reason: 1}


def test_a_png_whose_text_stops_pil_is_read(tmp_path: Path) -> None:
    root = made(tmp_path, record())
    path = root / "Simulator" / "image" / "a.png"
    body = b"zTXt" + b"Comment\0\0" + zlib.compress(b"x" * 3_000_000)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = path.read_bytes()
    path.write_bytes(data[:33] + chunk + data[33:])  # after the header
    (scene,), _ = read(root)
    assert scene.rgb.shape == (20, 30, 3)


def test_the_files_of_2d_and_3d_have_their_own_folders(tmp_path: Path) -> None:
    made(tmp_path, record(), split="2D", file="reasoning_template_qa")
    made(tmp_path, record(depth=...), split="3D", file="vacant_qa")
    (tmp_path / "3D" / "image").rename(tmp_path / "3D" / "image_visual_choice")
    (tmp_path / "3D" / "vacant_qa.json").rename(tmp_path / "3D" / "visual_choice_qa.json")
    scenes, counts = read(tmp_path)
    assert [scene.id for scene in scenes] == [
        "2D-reasoning_template_qa-00000000",
        "3D-visual_choice_qa-00000000",
    ]
    assert scenes[0].questions[0].kind == "reasoning_template_qa"
    assert counts["depth_missing"] == 1
    assert len(read(tmp_path / "2D")[0]) == 1


def test_a_jpeg_and_a_name_that_is_no_list(tmp_path: Path) -> None:
    root = made(tmp_path, record(image="a.jpg"))
    cv2.imwrite(str(root / "Simulator/image/a.jpg"), np.full((20, 30, 3), 9, np.uint8))
    assert len(read(root)[0]) == 1


def test_missing_folders_and_damaged_files(tmp_path: Path) -> None:
    assert code_of(lambda: read(tmp_path)) is ErrorCode.BAD_FILE
    root = made(tmp_path, record(), record())
    path = root / "Simulator" / "metadata.json"
    text = path.read_text()
    for bad in ("{}", "", text[:-30], text.replace("[", "", 1), text.replace(":", "", 1)):
        path.write_text(bad)
        assert code_of(lambda: read(root)) is ErrorCode.BAD_FILE
    path.write_bytes(b'["\xff"]')
    assert code_of(lambda: read(root)) is ErrorCode.BAD_FILE
    (root / "Simulator" / "image" / "a.png").unlink()
    (root / "Simulator" / "image").rmdir()
    assert code_of(lambda: read(root)) is ErrorCode.BAD_FILE


def test_steps_in_all_the_forms_of_the_paper() -> None:
    assert read_steps("") == ()
    assert read_steps(LINES) == STEPS
    assert read_steps(f"<think>\n{LINES}\n</think>") == STEPS
    loose = (
        "Step1: [Position] [red mug]: [(0.412, 0.633)]  Step2: [Orientation] [mug handle] "
        "(0.312,0.316,-0.896) Step 3: [Size] [red mug]: 0.09 m"
    )
    assert read_steps(loose) == STEPS
    assert read_steps("[Position] [red mug]: (0.412, 0.633)") == STEPS[:1]
    for other in ("The mug is red.", f"{LINES} so it is.", "[Position] [mug]: [(1.500, 0.100)]"):
        assert read_steps(other) is None


def test_thinking_that_is_no_list_of_steps_is_kept_as_text(tmp_path: Path) -> None:
    think = [{"question_type": "Object at table edge", "thinking": "First, find the edge."}]
    (scene,), counts = read(made(tmp_path, record(think=think)))
    (question,) = scene.questions
    assert question.kind == "object_at_table_edge"
    assert question.answer.steps == ()
    assert question.tags == {"thinking": "First, find the edge."}
    assert counts["thinking_not_steps"] == 1


def test_arrays_longer_than_what_is_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = [{"n": n, "text": "ä]}," * (n % 7)} for n in range(40)] + [12345]
    path = tmp_path / "a.json"
    with write_array(path) as add:
        for item in items:
            add(item)
    assert json.loads(path.read_text()) == items
    for chunk in (1, 2, 7, 1000):
        monkeypatch.setattr("robo_refer_data.formats.json_array._CHUNK", chunk)
        assert list(read_array(path)) == items
    with write_array(path):
        pass
    assert list(read_array(path)) == []


# --- theirs, stored as ours


def test_an_export_comes_back_as_samples(tmp_path: Path) -> None:
    samples = [make_sample(0), make_sample(1, depth_m=None)]
    root, _ = export(tmp_path, *samples)
    counts = import_refspatial(root, tmp_path / "back")
    assert counts == {"scenes": 2, "questions": 8, "records": 2, "pairs": 8, "depth_missing": 1}
    for back, sample in zip(read_samples(tmp_path / "back"), samples, strict=True):
        assert (back.camera, back.objects, back.depth_m) == (None, (), None)
        assert (back.source, back.meta["id"]) == ("refspatial", sample.id)
        np.testing.assert_array_equal(back.rgb, sample.rgb)
        assert (back.relative_depth is None) == (sample.depth_m is None)
        if sample.depth_m is not None:
            stored_m = images.decode_depth(images.encode_depth(sample.depth_m))
            np.testing.assert_array_equal(back.relative_depth, relative_depth(stored_m))
        assert [(q.text, q.kind, q.answer, q.reply) for q in back.questions] == [
            (q.text, q.kind, q.answer, q.reply) for q in sample.questions
        ]
    # A second turn through the layout keeps the depth that it can keep.
    again = export_refspatial(tmp_path / "back", tmp_path / "again")
    assert again["scenes_without_depth"] == 1
    name = "Simulator/depth/00000000.png"
    first, second = (cv2.imread(str(folder / name)) for folder in (root, tmp_path / "again"))
    np.testing.assert_array_equal(first, second)


def test_an_import_counts_what_it_leaves_out(tmp_path: Path) -> None:
    root = made(tmp_path / "in", 3, record(), record(conversations=[TURN]))
    counts = import_refspatial(root, tmp_path / "out")
    assert counts == {
        "scenes": 1, "questions": 1, "records": 3, "pairs": 1,
        "record_malformed": 1, "record_odd_turns": 1,
    }  # fmt: skip
    assert code_of(lambda: import_refspatial(root, tmp_path / "out")) is ErrorCode.BAD_REQUEST


def test_an_import_may_go_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = made(tmp_path / "in", record())
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert code_of(lambda: import_refspatial(made(tmp_path / "bad", 3), Path())) is (
        ErrorCode.BAD_FILE
    )
    import_refspatial(root, Path())
    assert [path.name for path in (tmp_path / "here").iterdir()] == ["data"]


def test_an_import_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert code_of(lambda: import_refspatial(tmp_path / "none", out)) is ErrorCode.BAD_FILE
    root = made(tmp_path / "in", 3)
    assert code_of(lambda: import_refspatial(root, out)) is ErrorCode.BAD_FILE
    made(tmp_path / "in", record(), record())
    path = root / "Simulator" / "metadata.json"
    path.write_text(path.read_text()[:-30])
    assert code_of(lambda: import_refspatial(root, out)) is ErrorCode.BAD_FILE
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_a_point_without_a_mask_is_never_scored(tmp_path: Path) -> None:
    import_refspatial(made(tmp_path / "in", record()), tmp_path / "out")
    (sample,) = read_samples(tmp_path / "out")
    question = sample.questions[0]
    assert code_of(lambda: score_answer(question.answer, question)) is ErrorCode.BAD_SAMPLE
