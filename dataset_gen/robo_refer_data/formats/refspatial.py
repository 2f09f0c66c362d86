"""RefSpatial, the dataset of RoboRefer, in the layout of its release: written and read.

::

    RefSpatial/2D/{choice_qa, reasoning_template_qa}.json, image/, depth/
    RefSpatial/3D/{choice_qa, reasoning_template_qa, vacant_qa, ...}.json, image/, depth/, ...
    RefSpatial/Simulator/metadata.json, image/, depth/

A JSON file is an array of records in the style of LLaVA: `id`; `image` and `depth`, lists of file
names; `conversations`, turns of {"from": "human" | "gpt", "value": text}, several questions to one
image, "<image>" before the first. The simulator adds `think`, one {"question_type", "thinking"}
per question. Source: huggingface.co/datasets/JingkunAn/RefSpatial and the loader
`LazySupervisedSpatialDataset` of github.com/Zhoues/RoboRefer.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from robo_refer.data import Question, Sample, ShardWriter, images, read_samples, shard_paths
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import format_answer
from robo_refer.relative_depth import encode, relative_depth
from robo_refer.types import Answer
from robo_refer_data.formats.json_array import write_array
from robo_refer_data.formats.refspatial_reading import Scene, find_parts, read_scenes

Record = dict[str, Any]


def export_refspatial(dataset: Path, out: Path) -> dict[str, int]:
    """Write a dataset of ours as `OUT/Simulator`, which RoboRefer's training code reads as it is.

    Pixels are kept exactly, as PNG. Depth becomes relative, in 8 bits, see `relative_depth`: the
    layout has no metres. Masks, objects, cameras, families, hops and tags have no place in it.
    An answer is its words or its points in three decimals, "[]" for an absent referent; thinking is
    the steps in the grammar of `robo_refer.parsing`, one a line, "" where there are none.

    `metadata.json` comes last and whole, so what a stopped export left is not taken for a dataset;
    given again, it starts anew over the same files.

    Args:
        dataset: folder or Parquet file of samples.
        out: folder to write into; made if need be.

    Returns:
        Counts: "scenes" and "questions" written; "scenes_without_questions", which are left out
        (the training code fails on an empty conversation); "scenes_without_depth", which are
        written with an empty `depth` list and can be trained on without depth only.

    Raises:
        RoboReferError: BAD_FILE for a missing or damaged dataset or a folder that cannot be
            written, BAD_SAMPLE for a damaged sample, BAD_REQUEST where OUT holds an export.
    """
    shard_paths(dataset)  # before anything is made
    folder = out / "Simulator"
    _must_be_new(folder, "metadata.json")
    counts = Counter(scenes=0, questions=0, scenes_without_questions=0, scenes_without_depth=0)
    try:
        for name in ("image", "depth"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with write_array(folder / "metadata.json") as add:
            for sample in read_samples(dataset, columns=("rgb", "depth", "questions")):
                if not sample.questions:
                    counts["scenes_without_questions"] += 1
                    continue
                # Numbered, because an id of any text need not be a file name.
                record = _write_record(sample, folder, f"{counts['scenes']:08d}.png")
                add(record)
                counts["scenes"] += 1
                counts["questions"] += len(record["think"])
                counts["scenes_without_depth"] += not record["depth"]
    except OSError as error:
        raise _unwritable(folder, error) from error
    return dict(counts)


def import_refspatial(root: Path, out: Path) -> dict[str, int]:
    """Store a release of RefSpatial, or one of its folders, as a dataset of ours.

    The release has no cameras, objects and masks, and its depth has no unit: samples carry
    `relative_depth` and questions of the families "point", "words" and "absent", to be learnt
    from and not scored. Records of several images have no place in a `Sample` and are counted.

    The dataset appears whole or not at all: it grows in a hidden folder of `out`. Given again after
    a stop, it starts anew.

    Args:
        root: the folder RefSpatial, or its folder 2D, 3D or Simulator, with unpacked archives.
        out: folder of the dataset; made if need be.

    Returns:
        Counts: "scenes" and "questions" stored, out of "records" and "pairs" (questions of
        well-formed records), and why the others were left out, see `read_scenes`.

    Raises:
        RoboReferError: BAD_FILE for a release that is missing, damaged or without anything that
            can be used, or a folder that cannot be written; BAD_REQUEST where OUT holds a dataset.
    """
    find_parts(root)  # before anything is made
    _must_be_new(out, "data/*.parquet")
    counts = Counter(scenes=0, questions=0, records=0, pairs=0)
    is_new, unfinished = not out.exists(), out / ".unfinished"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        with ShardWriter(unfinished) as writer:
            for scene in read_scenes(root, counts):
                writer.write(_sample(scene))
                counts["scenes"] += 1
                counts["questions"] += len(scene.questions)
        if not counts["scenes"]:
            raise _nothing(root, counts)
        os.replace(unfinished / "data", out / "data")
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        if is_new:
            with suppress(OSError):  # it is not empty: all went well
                out.rmdir()
    return {name: count for name, count in counts.items() if count}


def _sample(scene: Scene) -> Sample:
    return Sample(
        id=scene.id,
        rgb=scene.rgb,
        depth_m=None,
        camera=None,
        objects=(),
        questions=scene.questions,
        source="refspatial",
        meta=scene.meta,
        relative_depth=scene.relative_depth,
    )


def _nothing(root: Path, counts: Counter[str]) -> RoboReferError:
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"Nothing in {root} can be used ({reasons or 'it has no records'}).",
        "Check that the archives were unpacked into the folders of the release.",
    )


def _must_be_new(folder: Path, pattern: str) -> None:
    if any(folder.glob(pattern)):
        raise RoboReferError(
            ErrorCode.BAD_REQUEST,
            f"{folder} already holds a dataset.",
            "Choose another folder, or remove that one first.",
        )


def _unwritable(folder: Path, error: OSError) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{folder} cannot be written ({error.strerror or type(error).__name__}).",
        "Give a folder on a disk with room that you may write to.",
    )


def _write_record(sample: Sample, folder: Path, name: str) -> Record:
    """Write the image files of a sample and return its record."""
    _write_bytes(folder / "image" / name, images.encode_rgb(sample.rgb))
    relative = sample.relative_depth
    if sample.depth_m is not None:
        relative = relative_depth(sample.depth_m)
    if relative is not None:
        _write_bytes(folder / "depth" / name, encode(relative))
    turns: list[dict[str, str]] = []
    for question in sample.questions:
        turns.append({"from": "human", "value": question.text})
        turns.append({"from": "gpt", "value": question.reply or _points(question.answer)})
    turns[0]["value"] = "<image>\n" + turns[0]["value"]
    return {
        "id": sample.id,
        "image": [name],
        "depth": [] if relative is None else [name],
        "conversations": turns,
        "think": [_think(question) for question in sample.questions],
    }


def _points(answer: Answer) -> str:
    """Return the final points alone, which for an absent referent the grammar always wraps."""
    return format_answer(Answer(answer.points)) if answer.points else "[]"


def _think(question: Question) -> dict[str, str]:
    thinking = ""
    if question.answer.steps:
        block = format_answer(question.answer).partition("\n</think>")[0]
        thinking = block.removeprefix("<think>\n")
    return {"question_type": question.kind, "thinking": thinking}


def _write_bytes(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_bytes(data)
    os.replace(temporary, path)
