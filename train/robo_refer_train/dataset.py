"""Generated samples -> training rows: decode, augment, preprocess, pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from torch.utils.data import Dataset

from robo_refer.data.records import from_row
from robo_refer.data.sample import POINTING, ObjectTruth, Question, Sample
from robo_refer.preprocess import PreprocessSpec, depth_array, image_array
from robo_refer.types import Answer, FloatArray, Step
from robo_refer_train.augment import augment_rgb, blob_holes, stray_pixels
from robo_refer_train.canvas import OnCanvas, squashed_height
from robo_refer_train.packing import IGNORE, Packed, Packer, block_mask
from robo_refer_train.sources import Source

CELL_PX = 8
REASON_SHARE = 0.1
SQUASH_SHARE = 0.15


@dataclass(frozen=True)
class Classes:
    """The words that the dense head tells apart, each in a fixed order."""

    name: tuple[str, ...]
    colour: tuple[str, ...]
    material: tuple[str, ...]

    @classmethod
    def of(cls, table: pa.Table) -> Classes:
        """Collect them from the objects of a table."""
        words: dict[str, set[str]] = {"name": set(), "colour": set(), "material": set()}
        for chunk in table.column("objects").chunks:
            objects = chunk.flatten()
            for key, found in words.items():
                found.update(objects.field(key).unique().to_pylist())
        return cls(**{key: tuple(sorted(found)) for key, found in words.items()})


class TrainingRows(Dataset[dict[str, Any]]):
    """`draws` training rows; row k is a function of (seed, k) alone, so that runs can resume.

    Every pass over the source is a new permutation, and every draw a new augmentation and a new
    choice of questions. With `both_views`, two draws show one sample, without depth and with it.
    """

    def __init__(
        self,
        source: Source,
        packer: Packer,
        spec: PreprocessSpec,
        classes: Classes,
        *,
        draws: int,
        seed: int,
        questions: int,
        depth_share: float,
        weights: Mapping[str, float] | None = None,
        both_views: bool = False,
    ) -> None:
        self._source = source
        self._packer = packer
        self._spec = spec
        self._lookup = {
            key: {word: index for index, word in enumerate(getattr(classes, key))}
            for key in ("name", "colour", "material")
        }
        self._draws, self._seed = draws, seed
        self._questions, self._depth_share = questions, depth_share
        self._weights = weights or {}
        self._both_views = both_views

    def __len__(self) -> int:
        return self._draws

    def __getitem__(self, draw: int) -> dict[str, Any]:
        rng = np.random.default_rng([self._seed, draw, 1])
        shown = draw // 2 if self._both_views else draw
        sample = from_row(self._source.row(shown, self._seed))
        squash = rng.uniform(0.75, 1.0) if rng.random() < SQUASH_SHARE else 1.0
        drawn = draw % 2 if self._both_views else rng.random() < self._depth_share
        with_depth = sample.depth_m is not None and bool(drawn)
        rgb = _squash(augment_rgb(sample.rgb, rng), squash)
        placed = OnCanvas.of(sample.size, self._spec, squash)
        row: dict[str, Any] = {
            "pixel_values": image_array(rgb, self._spec),
            "depth_values": None,
            "packed": self._pack(sample, placed, rng, with_depth),
            **self._cells(sample.objects, placed),
        }
        if with_depth and sample.depth_m is not None:
            row["depth_values"] = depth_array(
                _worn(_squash(sample.depth_m, squash), rng), self._spec
            )
        return row

    def _pack(
        self, sample: Sample, placed: OnCanvas, rng: np.random.Generator, with_depth: bool
    ) -> Packed:
        pointing = [
            question
            for question in sample.questions
            if question.family in POINTING and self._weights.get(question.kind, 1.0) > 0
        ]
        triples = [
            (text, placed.answer(answer), reason)
            for text, answer, reason in asked(
                pointing, sample.objects, self._questions, self._weights, rng
            )
        ]
        return self._packer.pack(triples, with_depth)

    def _cells(self, objects: Sequence[ObjectTruth], placed: OnCanvas) -> dict[str, Any]:
        """Return what every cell of the tower's grid shows: object, classes, centre offset, rank.

        The rank is the share of the other objects that are nearer to the camera. Cells of the
        canvas's border show no object.
        """
        rows, columns = self._spec.height // CELL_PX, self._spec.width // CELL_PX
        owner = np.full((rows, columns), -1, np.int64)
        if objects:
            masks = coco_mask.decode([_bytes_rle(item.mask) for item in objects])
            x, y = placed.cells(rows, columns)
            inside = ((y >= 0) & (y < 1))[:, None] & ((x >= 0) & (x < 1))
            v = np.clip((y * masks.shape[0]).astype(int), 0, masks.shape[0] - 1)
            u = np.clip((x * masks.shape[1]).astype(int), 0, masks.shape[1] - 1)
            seen = masks[np.ix_(v, u)] * inside[..., None]
            owner = np.where(seen.any(axis=2), seen.argmax(axis=2), -1)
        known = [item.point_norm for item in objects] or [(0.0, 0.0)]
        points = np.array([placed.point(*point) for point in known])
        grid_y, grid_x = np.mgrid[0:rows, 0:columns]
        centre = points[np.maximum(owner, 0)]
        offset = np.stack(
            [centre[..., 0] * columns - grid_x - 0.5, centre[..., 1] * rows - grid_y - 0.5], axis=-1
        )
        depths_m = np.array([item.depth_m for item in objects] or [0.0])
        nearer = (depths_m < depths_m[:, None]).sum(axis=1) / max(len(depths_m) - 1, 1)
        cells: dict[str, Any] = {
            "cell_rank": nearer.astype(np.float32)[np.maximum(owner, 0)].reshape(-1),
            "cell_object": (owner >= 0).reshape(-1),
            "cell_offset": offset.reshape(-1, 2).astype(np.float32),
        }
        for key, lookup in self._lookup.items():
            words = np.array([lookup[getattr(item, key)] for item in objects] or [0])
            cells[f"cell_{key}"] = words[np.maximum(owner, 0)].reshape(-1)
        return cells


def asked(
    questions: Sequence[Question],
    objects: Sequence[ObjectTruth],
    count: int,
    weights: Mapping[str, float],
    rng: np.random.Generator,
) -> list[tuple[str, Answer, bool]]:
    """Return up to `count` of some questions: text, answer, whether it is asked to reason.

    Args:
        questions: of one sample, whose kinds all have a weight above 0.
        objects: of the sample.
        count: how many to draw, as far as there are as many.
        weights: how often questions of a kind are drawn, relative to the others' 1.
        rng: decides.
    """
    if not questions:
        return []
    chances = np.array([weights.get(question.kind, 1.0) for question in questions])
    count = min(count, len(questions))
    chosen = rng.choice(len(questions), count, replace=False, p=chances / chances.sum())
    drawn = []
    for question in (questions[number] for number in chosen):
        reason = bool(rng.random() < REASON_SHARE)
        drawn.append((question.text, written_answer(question, objects, reason), reason))
    return drawn


def written_answer(question: Question, objects: Sequence[ObjectTruth], reason: bool) -> Answer:
    """Return the answer as it shall be written: with a step for a direct question on request."""
    if not reason or question.answer.steps or len(question.target_ids) != 1:
        return question.answer
    target = next(item for item in objects if item.id == question.target_ids[0])
    step = Step("position", f"{target.colour} {target.name}".strip(), question.answer.points[0])
    return Answer(question.answer.points, (step,))


def _worn(depth_m: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return the depth as a sensor might have measured it."""
    draw = rng.random()
    if draw < 0.6:
        noise = rng.standard_normal(depth_m.shape, np.float32) * np.float32(rng.uniform(0.0, 0.004))
        depth_m = np.where(depth_m > 0, depth_m + noise * depth_m * depth_m, 0).astype(np.float32)
    if rng.random() < 0.4:
        depth_m = blob_holes(depth_m, rng)
    if rng.random() < 0.4:
        depth_m = stray_pixels(depth_m, rng)
    return depth_m


def _squash(image: NDArray[Any], factor: float) -> NDArray[Any]:
    """Return the image with its height scaled, as a wider camera would show it."""
    if factor == 1.0:
        return image
    size = (image.shape[1], squashed_height(image.shape[0], factor))
    mode = cv2.INTER_NEAREST if image.ndim == 2 else cv2.INTER_AREA
    return cv2.resize(image, size, interpolation=mode)


def _bytes_rle(mask: dict[str, Any]) -> dict[str, Any]:
    return {"size": mask["size"], "counts": mask["counts"].encode()}


class Collator:
    """Stacks rows: right-padded text, the block mask, the places where points are written."""

    def __init__(self, first: range, openers: Sequence[int], grid: tuple[int, int]) -> None:
        self._first, self._openers, self._grid = first, np.array(openers), grid

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
        packed = [row["packed"] for row in rows]
        length = max(len(row.input_ids) for row in packed)
        batch: dict[str, NDArray[Any]] = {
            "input_ids": _padded([row.input_ids for row in packed], length, 0),
            "labels": _padded([row.labels for row in packed], length, IGNORE),
            "position_ids": _padded([row.position_ids for row in packed], length, 0),
        }
        segments = _padded([row.segment_ids for row in packed], length, -1)
        batch["attention_mask"] = block_mask(segments)[:, None]
        batch["pixel_values"] = np.stack([row["pixel_values"] for row in rows])
        maps = [row["depth_values"] for row in rows if row["depth_values"] is not None]
        for name in ("object", "offset", "rank", "name", "colour", "material"):
            batch[f"cell_{name}"] = np.stack([row[f"cell_{name}"] for row in rows])
        batch |= self._points(batch["labels"])
        tensors: dict[str, Any] = {key: torch.from_numpy(value) for key, value in batch.items()}
        tensors["depth_values"] = torch.from_numpy(np.stack(maps)) if maps else None
        return tensors

    def _points(self, labels: NDArray[np.int64]) -> dict[str, Any]:
        """Return where points begin and, for each, a Gaussian over the cells of the image."""
        rows, columns = self._grid
        starts = (labels >= self._first.start) & (labels < self._first.stop)
        starts[:, 1:] &= np.isin(labels[:, :-1], self._openers)
        batch_rows, places = np.nonzero(starts)
        bins = len(self._first)
        x = (labels[batch_rows, places] - self._first.start + 0.5) / bins * columns - 0.5
        y = (labels[batch_rows, places + 1] - self._first.stop + 0.5) / bins * rows - 0.5
        distance = (np.arange(columns) - x[:, None, None]) ** 2 + (
            np.arange(rows)[:, None] - y[:, None, None]
        ) ** 2
        heat = np.exp(-distance / (2 * 0.7**2)).reshape(len(x), rows * columns)
        heat /= heat.sum(axis=1, keepdims=True)
        return {  # twice: before x is written, and before y
            "point_rows": np.tile(batch_rows, 2),
            "point_places": np.concatenate([places - 1, places]),
            "point_cells": np.tile(heat.astype(np.float32), (2, 1)),
        }


def _padded(rows: Sequence[NDArray[np.int64]], length: int, value: int) -> NDArray[np.int64]:
    out = np.full((len(rows), length), value, np.int64)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return out
