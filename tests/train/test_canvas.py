"""What is learnt lies where the canvas shows it, whatever the picture's aspect ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from conftest import disc_sample, tiny_run

from robo_refer.data import Question, Sample, ShardWriter
from robo_refer.data.masks import decode, encode
from robo_refer.engines.base import Generation, Request
from robo_refer.engines.canvas import CanvasEngine
from robo_refer.parsing import format_answer, parse
from robo_refer.preprocess import Letterbox, PreprocessSpec
from robo_refer.tokens import END, quantise_answer
from robo_refer.types import Answer, Frame, Step
from robo_refer_train import dataset, words
from robo_refer_train.canvas import OnCanvas
from robo_refer_train.dataset import CELL_PX, Classes, TrainingRows
from robo_refer_train.nano import build_processor
from robo_refer_train.packing import IGNORE, Packer
from robo_refer_train.sources import TableSource, load_table

HALF_BIN = 0.002 + 1e-9
WIDE, TALL, OWN = (640, 360), (360, 640), (640, 480)
SIZES = (WIDE, TALL, (500, 480), OWN)
SPEC = PreprocessSpec(256, 192, 192, 192)


class Reader(CanvasEngine):
    """Reads answers as every engine with a canvas does."""

    def __init__(self, spec: PreprocessSpec) -> None:
        self.spec = spec

    def answer(self, image: Any, depth: Any, requests: Sequence[Request]) -> list[Generation]:
        raise NotImplementedError


def one_disc(size: tuple[int, int], point: tuple[float, float]) -> Sample:
    """Return a white disc on black, at a point in [0, 1], asked for with a step of reasoning."""
    (width, height), start = size, disc_sample(0)
    shape = np.zeros((height, width), np.uint8)
    cv2.circle(shape, (round(point[0] * width), round(point[1] * height)), 100, 1, -1)
    disc = replace(start.objects[0], mask=encode(shape), point_norm=point)
    step = Step("position", "white disc", point)
    question = Question(
        "right_of", "object", 1, "the disc", Answer((point,), (step,)), (1,), disc.mask, (1,)
    )
    return replace(
        start,
        rgb=np.repeat(shape[..., None] * np.uint8(255), 3, axis=2),
        depth_m=np.ones((height, width), np.float32),
        camera=None,
        objects=(disc,),
        questions=(question,),
    )


def training_rows(sample: Sample, folder: Path) -> tuple[TrainingRows, Any]:
    """Return nano's rows of one sample, on a canvas of 64x48, and the processor."""
    with ShardWriter(folder / "data") as writer:
        writer.write(sample)
    config = tiny_run(folder / "data", folder)
    table = load_table(config.data)
    processor = build_processor(config, table)
    spec, backend = processor.spec, processor.tokenizer.backend_tokenizer
    packer = Packer(backend, spec.image_tokens, spec.depth_tokens)
    source, classes = TableSource(table), Classes.of(table)
    rows = TrainingRows(
        source, packer, spec, classes, draws=4, seed=0, questions=1, depth_share=0.0
    )
    return rows, processor


def target(row: dict[str, Any], processor: Any) -> str:
    labels = row["packed"].labels
    text: str = processor.tokenizer.decode(labels[labels != IGNORE].tolist())
    return text.removesuffix(END)


def written_numbers(text: str) -> np.ndarray:
    """Return the places of steps and points as a model writes them: (places, 2)."""
    answer = parse(text)
    return np.array([*(step.value for step in answer.steps), *answer.points])


def assert_read_back(text: str, sample: Sample, spec: PreprocessSpec) -> None:
    """Check that an engine reads the sample's truth from a text, within half a bin."""
    answer = Reader(spec).read(text, Frame(sample.rgb, None))
    box = Letterbox(*sample.size, spec.width, spec.height)
    share = np.array(box.inner_size) / (spec.width, spec.height)
    for point in (*answer.points, *(step.value for step in answer.steps)):
        off = np.abs(np.array(point) - sample.objects[0].point_norm) * share
        assert (off <= HALF_BIN).all()


def test_a_point_of_a_wide_picture_is_learnt_where_the_canvas_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SQUASH_SHARE", 0.0)
    sample = one_disc(WIDE, (0.5, 0.1))
    rows, processor = training_rows(sample, tmp_path)
    text = target(rows[0], processor)
    assert np.abs(written_numbers(text) - (0.5, 0.2)).max() <= HALF_BIN
    assert_read_back(text, sample, processor.spec)


@pytest.mark.parametrize("size", SIZES)
def test_words_of_a_checkpoint_with_a_canvas_are_read_back(
    size: tuple[int, int], tmp_path: Path
) -> None:
    sample = one_disc(size, (0.45, 0.4))
    _, processor = training_rows(sample, tmp_path)
    config = tiny_run(tmp_path / "data", tmp_path)
    source = TableSource(load_table(config.data))
    ((_, answer),) = words.WordRows(source, processor, config, config.stages[0], seed=0)[0]["pairs"]
    text = processor.tokenizer.decode(answer).removesuffix(END)
    assert_read_back(text, sample, processor.spec)
    if size == OWN:
        assert text == format_answer(quantise_answer(sample.questions[0].answer))


@pytest.mark.parametrize("squashed", [0.0, 1.0])
@pytest.mark.parametrize("size", SIZES)
def test_cells_and_points_lie_where_the_canvas_shows_an_object(
    size: tuple[int, int], squashed: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "SQUASH_SHARE", squashed)
    monkeypatch.setattr(dataset, "augment_rgb", lambda rgb, rng: rgb)
    rows, processor = training_rows(one_disc(size, (0.5, 0.35)), tmp_path)
    spec = processor.spec
    grid = (spec.height // CELL_PX, spec.width // CELL_PX)
    for draw in range(4):
        row = rows[draw]
        white = row["pixel_values"][0] > 0.9
        v, u = np.nonzero(white)
        middle = np.array([u.mean() + 0.5, v.mean() + 0.5])
        shown = row["cell_object"].reshape(grid)
        cells = np.argwhere(shown)
        assert len(cells)
        for r, c in cells:
            near = white[r * CELL_PX + 3 : r * CELL_PX + 5, c * CELL_PX + 3 : c * CELL_PX + 5]
            assert near.any()
            offset = row["cell_offset"].reshape(*grid, 2)[r, c]
            centre = (offset + np.array([c, r]) + 0.5) * CELL_PX
            assert np.abs(centre - middle).max() < 1.5  # pixels of the canvas
        centres = white[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX]
        assert abs(int(centres.sum()) - len(cells)) <= 2
        border = np.all(row["pixel_values"] == 0, axis=0)  # mid grey
        assert not shown[border[CELL_PX // 2 :: CELL_PX, CELL_PX // 2 :: CELL_PX]].any()
        written = written_numbers(target(row, processor)) * (spec.width, spec.height)
        assert np.abs(written - middle).max() < 1.5


@pytest.mark.parametrize("size", [(256, 192), OWN, (192, 144), (64, 48)])
@pytest.mark.parametrize("squash", [1.0, 0.8123456789])
def test_rows_of_the_canvass_own_aspect_ratio_are_the_same_to_the_last_bit(
    size: tuple[int, int], squash: float
) -> None:
    placed, rng = OnCanvas.of(size, SPEC, squash), np.random.default_rng(0)
    points = tuple((float(x), float(y)) for x, y in rng.random((200, 2)))
    steps = tuple(Step("position", "it", point) for point in points)
    answer = Answer(points, (*steps, Step("size", "it", (0.25,))))
    moved = placed.answer(answer)
    if squash == 1.0:
        assert moved is answer
    else:
        assert moved.points == tuple((x, (y - 0.5) * squash + 0.5) for x, y in points)
        assert tuple(step.value for step in moved.steps[:-1]) == moved.points
        assert moved.steps[-1] == answer.steps[-1]
    x, y = placed.cells(24, 32)
    assert x.tolist() == [(k + 0.5) / 32 for k in range(32)]
    assert y.tolist() == [((k + 0.5) / 24 - 0.5) / squash + 0.5 for k in range(24)]


def test_cells_of_the_canvass_own_aspect_ratio_are_those_of_the_mask(tmp_path: Path) -> None:
    sample = one_disc(OWN, (0.45, 0.4))
    rows, processor = training_rows(sample, tmp_path)
    cells = rows._cells(sample.objects, OnCanvas.of(OWN, processor.spec))
    r, c = np.mgrid[0:6, 0:8]
    seen = decode(sample.objects[0].mask)[r * 80 + 40, c * 80 + 40]
    assert cells["cell_object"].tolist() == seen.reshape(-1).tolist()
    offset = np.stack([0.45 * 8 - c - 0.5, 0.4 * 6 - r - 0.5], axis=-1).reshape(-1, 2)
    assert cells["cell_offset"].tolist() == offset.astype(np.float32).tolist()


@pytest.mark.parametrize("size", [WIDE, TALL, (500, 480)])
@pytest.mark.parametrize("squash", [1.0, 0.8])
def test_points_and_cells_are_each_others_inverse(size: tuple[int, int], squash: float) -> None:
    placed = OnCanvas.of(size, SPEC, squash)
    x, y = placed.cells(24, 32)
    back = np.array([placed.point(float(u), float(v)) for v in y for u in x])
    rows, columns = np.mgrid[0:24, 0:32] + 0.5
    assert back == pytest.approx(np.stack([columns / 32, rows / 24], axis=-1).reshape(-1, 2))
