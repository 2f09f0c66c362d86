"""Files of suites -> values and pictures; what is not as published is one clear sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.files.image_header import image_size
from robo_refer.files.pictures import decode as decode_picture
from robo_refer.types import MAX_IMAGE_PIXELS, Frame

_HEAD_BYTES, _LONG_HEAD_BYTES = 64, 1 << 16
_ANY_ASPECT = 1.02  # widths and heights are rounded when pictures are scaled


def read_bytes(path: Path) -> bytes:
    """Return the content of a file; raises BAD_FILE."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise bad_layout(f"{path} cannot be read: {error.strerror}") from error


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; raises BAD_FILE."""
    try:
        return json.loads(read_bytes(path))
    except ValueError as error:
        raise bad_layout(f"{path} is not JSON: {error}") from error


def read_json_lines(path: Path) -> list[Any]:
    """Return what the lines of a JSONL file hold; raises BAD_FILE."""
    values: list[Any] = []
    for number, line in enumerate(read_bytes(path).splitlines(), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except ValueError as error:
                raise bad_layout(f"{path} is not JSON in line {number}: {error}") from error
    return values


def rows_of(values: Any, where: Path) -> list[Mapping[str, Any]]:
    """Return `values` as a list of objects; raises BAD_FILE where it is something else."""
    if not isinstance(values, list) or not all(isinstance(row, Mapping) for row in values):
        raise bad_layout(f"{where} is not a list of questions")
    if not values:
        raise bad_layout(f"{where} holds no questions")
    return values


def text(row: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
    """Return a field as text; numbers are written out. Raises BAD_SAMPLE where it is missing."""
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise bad_item(where, f"its field {name!r} is {_shown(value)}, not text")
    return str(value)


def whole(row: Mapping[str, Any], name: str, where: str, default: int | None = None) -> int:
    """Return a field as a whole number; raises BAD_SAMPLE where it is none."""
    value = row.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise bad_item(where, f"its field {name!r} is {_shown(value)}, not a whole number")
    return value


def numbers(value: Any, count: int, where: str) -> tuple[float, ...]:
    """Return `count` finite numbers; raises BAD_SAMPLE."""
    try:
        found = tuple(float(number) for number in value)
    except (TypeError, ValueError) as error:
        raise bad_item(where, f"{_shown(value)} is not {count} numbers") from error
    if len(found) != count or not np.isfinite(found).all():
        raise bad_item(where, f"{_shown(value)} is not {count} numbers")
    return found


def inside(root: Path, relative: str, where: str) -> Path:
    """Return a file below `root`; a path that leads out of it is refused (BAD_SAMPLE)."""
    path = relative.replace("\\", "/")
    if path.startswith("/") or ".." in path.split("/"):
        raise bad_item(where, f"its path {relative!r} leads out of {root}")
    return root / path


def rgb_frame(path: Path) -> Frame:
    """Return a picture file as a frame; raises BAD_FILE or BAD_IMAGE."""
    return Frame(decode_rgb(read_bytes(path), str(path)))


def decode_rgb(data: bytes, where: str) -> NDArray[np.uint8]:
    """Return (height, width, 3) uint8 RGB of an encoded picture; what is transparent is dropped.

    Raises:
        RoboReferError: BAD_IMAGE when it is no picture, damaged, too large or over 8 bits.
    """
    image = decode_picture(Path(where), data, "picture", ErrorCode.BAD_IMAGE).array
    if image.dtype != np.uint8:
        raise bad_image(where, f"holds {image.dtype} values, not 8 bits a channel")
    if image.ndim == 2 or image.shape[2] == 2:
        grey = image if image.ndim == 2 else image[..., 0]
        return np.repeat(grey[..., None], 3, axis=2)
    return np.ascontiguousarray(image[..., 2::-1])


def decode(data: bytes, flags: int, where: str) -> NDArray[Any]:
    """Return the pixels of an encoded picture as OpenCV reads them; raises BAD_IMAGE."""
    size = image_size(data)
    if size is not None and size[0] * size[1] > MAX_IMAGE_PIXELS:
        raise bad_image(where, f"has {size[0]}x{size[1]} pixels, which is too many")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise bad_image(where, "is damaged, or no picture")
    return np.asarray(image)


def check_same_view(picture: bytes, mask: bytes, where: str) -> None:
    """Refuse a mask of another shape than its picture; a smaller one of the same shape is fine.

    Args:
        picture, mask: the beginnings of the two files.
        where: the item, for the sentence.

    Raises:
        RoboReferError: BAD_SAMPLE.
    """
    of_picture, of_mask = image_size(picture), image_size(mask)
    if of_picture is None or of_mask is None:
        return  # a header that cannot be read is reported when the picture is
    (width, height), (mask_width, mask_height) = of_picture, of_mask
    stretch = width * mask_height / max(mask_width * height, 1)
    if not 1 / _ANY_ASPECT <= stretch <= _ANY_ASPECT:
        raise bad_item(
            where, f"its mask is {mask_width}x{mask_height} but its picture {width}x{height}"
        )


def file_head(path: Path) -> bytes:
    """Return the first bytes of a file, enough for its size in pixels; raises BAD_FILE."""
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(_HEAD_BYTES)
            # Of a JPEG, a thumbnail may come before the size.
            return head if image_size(head) else head + file.read(_LONG_HEAD_BYTES)
    except OSError as error:
        raise bad_layout(f"{path} cannot be read: {error.strerror}") from error


def unique_ids(ids: Sequence[str], where: Path) -> None:
    """Refuse (BAD_SAMPLE) two items of one id: their answers could not be told apart."""
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise bad_item(str(where), f"two of its items have the id {name!r}")
        seen.add(name)


def bad_layout(problem: str) -> RoboReferError:
    """Return the error about a folder that is not as published."""
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{problem}.",
        "'robo-refer bench suites' says how to get each suite, and how its folder is laid out.",
    )


def bad_item(where: str, problem: str) -> RoboReferError:
    """Return the error about one item that cannot be true."""
    return RoboReferError(
        ErrorCode.BAD_SAMPLE, f"{where}: {problem}.", "Get the suite again as published."
    )


def bad_image(where: str, problem: str) -> RoboReferError:
    """Return the error about one picture."""
    return RoboReferError(ErrorCode.BAD_IMAGE, f"{where} {problem}.", "Get the file again.")


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
