"""Read the released RefSpatial layout: images, relative depth and questions, checked.

Known noise of the release: PNG text chunks that stop PIL (OpenCV skips them), odd numbers of
turns, questions asked twice, conflicting answers, and text that repeats itself without end.
Nothing of it stops the reading, and all of it is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.data import Question
from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_data.formats.json_array import read_array
from robo_refer_data.formats.refspatial_text import LeftOutError, Pair, read_questions

_SPLITS = ("2D", "3D", "Simulator")
_FOLDERS = {
    "multi_view_qa": ("image_multi_view", "depth_multi_view"),
    "visual_choice_qa": ("image_visual_choice", "depth"),
}
_PNG_END = b"IEND\xaeB`\x82"
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
# The released code leaves an EXIF orientation alone, and points are of the pixels that it sees.
_COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION


@dataclass(frozen=True)
class Part:
    """One JSON file of the release and the folders that its file names are relative to."""

    json: Path
    images: Path
    depths: Path


@dataclass(frozen=True)
class Scene:
    """One record: an image and what is asked of it.

    Attributes:
        id: unique within the release ("Simulator-metadata-00000012").
        rgb: (height, width, 3) uint8.
        relative_depth: (height, width) uint8 inverse depth without unit, 255 nearest; None where
            there is none that fits.
        questions: at least one.
        meta: "id", "image" and "depth" of the record; JSON-ready.
    """

    id: str
    rgb: NDArray[np.uint8]
    relative_depth: NDArray[np.uint8] | None
    questions: tuple[Question, ...]
    meta: dict[str, Any]


def find_parts(root: Path) -> list[Part]:
    """Return the JSON files of a release, or of one of its folders 2D, 3D and Simulator.

    Raises:
        RoboReferError: BAD_FILE where there is none, or its images are missing.
    """
    folders = [root / name for name in _SPLITS if (root / name).is_dir()] or [root]
    found = []
    for path in sorted(path for folder in folders for path in folder.glob("*.json")):
        image, depth = _FOLDERS.get(path.stem, ("image", "depth"))
        found.append(Part(path, path.parent / image, path.parent / depth))
    if not found:
        raise RoboReferError(
            ErrorCode.BAD_FILE,
            f"There is no JSON file of RefSpatial at {root}.",
            "Give the folder RefSpatial, or its folder 2D, 3D or Simulator.",
        )
    for part in found:
        if not part.images.is_dir():
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"There is no folder {part.images}.",
                "Unpack the archives first, with unzip_dataset.sh of the release.",
            )
    return found


def read_scenes(root: Path, counts: Counter[str]) -> Iterator[Scene]:
    """Stream the records of a release, one image with its questions each.

    Args:
        root: the folder RefSpatial, or its folder 2D, 3D or Simulator.
        counts: raised as the reading goes on. "records" = scenes yielded + all "record_*";
            "pairs" (questions of well-formed records) = questions yielded + all "question_*";
            "depth_*" and "thinking_not_steps" are of scenes yielded without it.

    Raises:
        RoboReferError: BAD_FILE as `find_parts` and `read_array`.
    """
    for part in find_parts(root):
        name = f"{part.json.parent.resolve().name}-{part.json.stem}"
        for number, record in enumerate(read_array(part.json)):
            counts["records"] += 1
            try:
                yield _scene(f"{name}-{number:08d}", record, part, counts)
            except LeftOutError as left_out:
                counts[left_out.reason] += 1


def _scene(id_: str, record: Any, part: Part, counts: Counter[str]) -> Scene:
    pairs = _pairs(record, part.json.stem)
    image, depth = _names(record, "image"), _names(record, "depth")
    if len(image) > 1:
        raise LeftOutError("record_several_images")
    if len(image) != 1 or len(depth) > 1:
        raise LeftOutError("record_malformed")
    counts["pairs"] += len(pairs)
    questions = read_questions(pairs, counts)
    if not questions:
        raise LeftOutError("record_without_questions")
    try:
        rgb = _read_image(part.images / image[0], "record_image", _COLOUR)
    except LeftOutError:
        counts["question_without_image"] += len(questions)
        raise
    relative = None
    try:
        if not depth:
            raise LeftOutError("depth_missing")
        relative = _read_depth(part.depths / depth[0], rgb.shape[:2])
    except LeftOutError as left_out:
        counts[left_out.reason] += 1
    meta = {"id": record.get("id"), "image": image[0], "depth": depth[0] if depth else None}
    return Scene(id_, cv2.cvtColor(rgb, cv2.COLOR_BGR2RGB), relative, tuple(questions), meta)


def _pairs(record: Any, file: str) -> list[Pair]:
    """Return the questions of a record, after checking its shape."""
    turns = record.get("conversations") if isinstance(record, dict) else None
    if not isinstance(turns, list) or not all(_is_text(turn, "from", "value") for turn in turns):
        raise LeftOutError("record_malformed")
    if not turns:
        raise LeftOutError("record_without_turns")
    if len(turns) % 2:
        raise LeftOutError("record_odd_turns")
    if [turn["from"] for turn in turns] != ["human", "gpt"] * (len(turns) // 2):
        raise LeftOutError("record_turns_not_alternating")
    texts = [(turns[i]["value"], turns[i + 1]["value"]) for i in range(0, len(turns), 2)]
    if "think" not in record:
        return [Pair(file, human, gpt) for human, gpt in texts]
    think = record["think"]
    if not isinstance(think, list) or len(think) != len(texts):
        raise LeftOutError("record_think_mismatch")
    if not all(_is_text(item, "question_type", "thinking") for item in think):
        raise LeftOutError("record_malformed")
    return [
        Pair(item["question_type"], human, gpt, item["thinking"])
        for (human, gpt), item in zip(texts, think, strict=True)
    ]


def _is_text(item: Any, *keys: str) -> bool:
    return isinstance(item, dict) and all(isinstance(item.get(key), str) for key in keys)


def _names(record: dict[str, Any], key: str) -> list[str]:
    """Return the file names under a key: a list in the release, one text in LLaVA's own style."""
    names = record.get(key, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise LeftOutError("record_malformed")
    # A record names what lies in its folder, never what lies elsewhere on this disk.
    if any(Path(name).is_absolute() or ".." in Path(name).parts for name in names):
        raise LeftOutError("record_malformed")
    return names


def _read_depth(path: Path, size: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return relative depth, one channel of three equal ones."""
    image = _read_image(path, "depth", cv2.IMREAD_UNCHANGED)
    if image.shape[:2] != size:
        raise LeftOutError("depth_of_other_size")
    if image.dtype != np.uint8:  # 16 bits without a unit are not to be guessed at
        raise LeftOutError("depth_not_8_bit")
    if image.ndim == 2:
        return image
    first = image[..., 0]
    if not all(np.array_equal(first, image[..., channel]) for channel in (1, 2)):
        raise LeftOutError("depth_not_grey")
    return np.ascontiguousarray(first)


def _read_image(path: Path, what: str, flags: int) -> NDArray[Any]:
    """Decode an image file, BGR; `what` begins the reason if that fails."""
    try:
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise LeftOutError(f"{what}_missing") from error
    # OpenCV fills what a cut-off file lacks and says nothing: look for the end first.
    jpeg = data.startswith(_JPEG_START)
    whole = data.rstrip(b"\0").endswith(_JPEG_END) if jpeg else _PNG_END in data
    if not whole:
        raise LeftOutError(f"{what}_unreadable")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise LeftOutError(f"{what}_unreadable") from error
    if image is None:
        raise LeftOutError(f"{what}_unreadable")
    return np.asarray(image)
