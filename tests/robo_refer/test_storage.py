"""Samples survive the way to Parquet and back, and bad files say what is wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from cli_files import png_claiming

from robo_refer.data import (
    ObjectTruth,
    Question,
    Sample,
    ShardWriter,
    count_samples,
    images,
    masks,
    read_samples,
    shard_paths,
    write_shard,
)
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.types import Answer, CameraModel, Step

WIDTH, HEIGHT = 40, 30


def make_sample(number: int = 0, depth: bool = True) -> Sample:
    rng = np.random.default_rng(number)
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[5:12, 8:20] = True
    rle = masks.encode(mask)
    pose = np.eye(4)
    pose[:3, 3] = [0.1, 0.2, 1 / 3]
    camera = CameraModel(
        WIDTH, HEIGHT, 35.5, 36.25, 19.5, 14.5, "plumb_bob", (0.1, -0.02, 0, 1e-3, 0), pose
    )
    item = ObjectTruth(
        1, "mug", "red", "ceramic", np.array([0.08, 0.11, 0.1]), pose, np.array([1.0, 0, 0]),
        rle, 0.9, 0.7, (0.341, 0.25),
    )  # fmt: skip
    steps = (Step("position", "red mug", (0.341, 0.25)), Step("size", "red mug", (0.1,)))
    questions = (
        Question(
            "direct_name", "object", 0, "the mug \N{WHITE SMILING FACE}",
            Answer(((0.341, 0.25),), steps), (1,), rle, (1, 1), {"colour_unique": True, "n": 2},
        ),
        Question("direct_name", "absent", 0, "the spoon", Answer(()), (), None),
    )  # fmt: skip
    depth_m = rng.uniform(0.2, 3, (HEIGHT, WIDTH)).astype(np.float32) if depth else None
    return Sample(
        f"s0-{number:06d}",
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8),
        depth_m,
        camera,
        (item, replace(item, id=2, front_obj=None, support_id=1, support_kind="in")),
        questions,
        "tabletop",
        {"seed": [0, number], "half": "natural"},
    )


def assert_same(first: Any, second: Any, where: str = "sample") -> None:
    if is_dataclass(first):
        assert type(first) is type(second), where
        for field in fields(first):
            name = field.name
            assert_same(getattr(first, name), getattr(second, name), f"{where}.{name}")
    elif isinstance(first, np.ndarray):
        tolerance = 0.00051 if where == "sample.depth_m" else 0
        assert first.shape == second.shape, where
        np.testing.assert_allclose(first, second, rtol=0, atol=tolerance, err_msg=where)
    elif isinstance(first, tuple):
        assert len(first) == len(second), where
        for number, (left, right) in enumerate(zip(first, second, strict=True)):
            assert_same(left, right, f"{where}[{number}]")
    else:
        assert first == second, where


def write(directory: Path, count: int, samples_per_shard: int = 500) -> Path:
    with ShardWriter(directory, samples_per_shard) as writer:
        for number in range(count):
            writer.write(make_sample(number))
    return directory


def code_of(call: Any) -> ErrorCode:
    with pytest.raises(RoboReferError) as caught:
        call()
    assert "\n" not in caught.value.message
    return caught.value.code


@pytest.mark.parametrize("depth", [True, False])
def test_a_sample_comes_back_as_it_was(tmp_path: Path, depth: bool) -> None:
    sample = make_sample(3, depth)
    assert write_shard(tmp_path / "one.parquet", [sample]) == 1
    (back,) = read_samples(tmp_path / "one.parquet")
    assert_same(sample, back)
    assert back.depth_m is None or back.depth_m.dtype == np.float32


def test_shards_are_numbered_and_read_in_order_from_any_start(tmp_path: Path) -> None:
    write(tmp_path, 75, samples_per_shard=40)
    assert [path.name for path in shard_paths(tmp_path)] == [
        "train-00000.parquet",
        "train-00001.parquet",
    ]
    assert count_samples(tmp_path) == 75
    for start in (0, 1, 31, 32, 39, 40, 74, 75, 100):
        ids = [sample.id for sample in read_samples(tmp_path, columns=(), start=start)]
        assert ids == [f"s0-{number:06d}" for number in range(start, 75)]


def test_columns_leave_the_rest_empty(tmp_path: Path) -> None:
    write(tmp_path, 1)
    (sample,) = read_samples(tmp_path, columns=["questions"])
    assert sample.rgb.shape == (0, 0, 3)
    assert sample.depth_m is None
    assert sample.objects == ()
    assert len(sample.questions) == 2
    assert sample.camera.width == WIDTH
    assert code_of(lambda: read_samples(tmp_path, columns=["colour"])) is ErrorCode.BAD_REQUEST


def test_datasets_reads_the_folder_with_images_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    folder = write(tmp_path / "set", 3, samples_per_shard=2)
    loads = {
        "folder": (str(folder), {}),
        "files": ("parquet", {"data_files": [str(path) for path in shard_paths(folder)]}),
    }
    for builder, options in loads.values():
        table = datasets.load_dataset(
            builder, split="train", cache_dir=str(tmp_path / "cache"), **options
        )
        assert table.num_rows == 3
        assert isinstance(table.features["depth"], datasets.Image)
        row, sample = table[1], make_sample(1)
        np.testing.assert_array_equal(np.asarray(row["rgb"]), sample.rgb)
        millimetres = np.asarray(row["depth"])
        assert sample.depth_m is not None
        np.testing.assert_allclose(millimetres / 1000, sample.depth_m, atol=0.00051)
        assert row["objects"][0]["mask"] == sample.objects[0].mask
        assert row["questions"][0]["steps"][1]["value"] == [0.1]
        assert row["camera"]["T_world_cam"][2][3] == 1 / 3


def test_unmeasured_and_unstorable_depth_becomes_zero() -> None:
    depth = np.array([[0.0, np.nan, np.inf, -np.inf], [-1.0, 65.535, 65.6, 1.2346]])
    back = images.decode_depth(images.encode_depth(depth))
    assert np.allclose(back, np.array([[0, 0, 0, 0], [0, 65.535, 0, 1.235]]), atol=1e-6)


def test_a_picture_that_promises_too_much_is_not_decoded() -> None:
    assert code_of(lambda: images.decode_rgb(png_claiming(60_000, 60_000))) is ErrorCode.BAD_SAMPLE


def test_same_samples_give_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_shard(tmp_path / name, (make_sample(number) for number in range(3)))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_interrupted_shard_leaves_nothing(tmp_path: Path) -> None:
    def samples() -> Iterator[Sample]:
        yield from (make_sample(number) for number in range(3))
        raise KeyboardInterrupt

    def write_all() -> None:
        with ShardWriter(tmp_path, 2) as writer:
            for sample in samples():
                writer.write(sample)

    with pytest.raises(KeyboardInterrupt):
        write_all()
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["train-00000.parquet"]
    assert code_of(lambda: ShardWriter(tmp_path)) is ErrorCode.BAD_REQUEST


BAD: dict[str, Callable[[Sample], Sample]] = {
    "camera of another size": lambda s: replace(s, camera=replace(s.camera, width=41)),
    "depth of another size": lambda s: replace(s, depth_m=np.ones((3, 3), np.float32)),
    "rgb of floats": lambda s: replace(s, rgb=s.rgb.astype(np.float32)),
    "equal object ids": lambda s: replace(s, objects=s.objects[:1] * 2),
    "mask of another size": lambda s: _with_object(s, mask=masks.encode(np.ones((3, 3)))),
    "point off the image": lambda s: _with_object(s, point_norm=(1.2, 0.5)),
    "pose with NaN": lambda s: _with_object(s, T_world_obj=np.full((4, 4), np.nan)),
    "unknown target": lambda s: _with_question(s, target_ids=(9,)),
    "unknown family": lambda s: _with_question(s, family="thing"),
    "object without mask": lambda s: _with_question(s, mask=None),
    "steps without their ids": lambda s: _with_question(s, step_ids=(1,)),
    "empty text": lambda s: _with_question(s, text=" "),
}


def _with_object(sample: Sample, **changes: Any) -> Sample:
    return replace(sample, objects=(replace(sample.objects[0], **changes), sample.objects[1]))


def _with_question(sample: Sample, **changes: Any) -> Sample:
    return replace(sample, questions=(replace(sample.questions[0], **changes),))


@pytest.mark.parametrize("name", BAD)
def test_a_contradictory_sample_is_refused(tmp_path: Path, name: str) -> None:
    sample = BAD[name](make_sample())
    path = tmp_path / "one.parquet"
    assert code_of(lambda: write_shard(path, [sample])) is ErrorCode.BAD_SAMPLE
    assert list(tmp_path.iterdir()) == []


def test_equal_ids_are_refused(tmp_path: Path) -> None:
    twice = [make_sample(), make_sample()]
    assert code_of(lambda: write_shard(tmp_path / "x", twice)) is ErrorCode.BAD_SAMPLE


def test_missing_foreign_and_damaged_files(tmp_path: Path) -> None:
    def code(path: Path) -> ErrorCode:
        return code_of(lambda: list(read_samples(path)))

    assert code(tmp_path) is ErrorCode.BAD_FILE
    assert code(tmp_path / "none.parquet") is ErrorCode.BAD_FILE
    text = tmp_path / "text.parquet"
    text.write_text("id,rgb\n")
    assert code(text) is ErrorCode.BAD_FILE
    foreign = tmp_path / "foreign.parquet"
    pq.write_table(pa.table({"id": ["a"]}), foreign)
    assert code(foreign) is ErrorCode.BAD_FILE
    good = tmp_path / "good.parquet"
    write_shard(good, [make_sample()])
    data = bytearray(good.read_bytes())
    cut = tmp_path / "cut.parquet"
    cut.write_bytes(data[: len(data) // 2])
    assert code(cut) is ErrorCode.BAD_FILE
    data[len(data) // 4] ^= 0xFF
    flipped = tmp_path / "flipped.parquet"
    flipped.write_bytes(data)
    assert code(flipped) is ErrorCode.BAD_FILE


def test_a_damaged_image_names_its_sample(tmp_path: Path) -> None:
    path = tmp_path / "one.parquet"
    write_shard(path, [make_sample(7)])
    table = pq.read_table(path)
    cut = {"bytes": table["rgb"][0].as_py()["bytes"][:-100], "path": None}
    column = table.schema.get_field_index("rgb")
    field = table.schema.field(column)
    pq.write_table(table.set_column(column, field, pa.array([cut], field.type)), path)
    with pytest.raises(RoboReferError, match="s0-000007") as caught:
        list(read_samples(path))
    assert caught.value.code is ErrorCode.BAD_SAMPLE


def test_sample_types_import_without_pyarrow() -> None:
    code = (
        "import sys, robo_refer.data.sample, robo_refer.data; "
        "assert not {'pyarrow', 'pycocotools', 'cv2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
