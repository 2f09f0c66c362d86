"""Recorded answers: JSON lines with everything that is needed to score them again.

The first line of a file says how they were made (`{"robo_refer_bench": 2, ...}`); every other line
is one `Record`. A last line that was cut off when a run was stopped is left out: its item then has
no answer, and is a miss, never one item less.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer_bench.suites.base import Point

FORMAT = 2
OK = "ok"


@dataclass(frozen=True)
class Record:
    """One answered item.

    Attributes:
        suite, split, id: which item.
        model: who answered.
        family: how its answers are written, see `families`.
        prompt: what it was asked, word by word.
        raw_answer: what it wrote.
        status: "ok", or the error code in lower case ("backend_timeout" ...).
        error: what went wrong, one sentence; "" if nothing did.
        seconds: how long the answer took.
        image_size: (width, height) of the picture in pixels, (0, 0) if it was not noted.
        points: the answer in [0, 1] of the picture, best first, where the engine read it itself
            (an engine with a canvas of its own writes other numbers than these); None: read
            `raw_answer` by the family. An empty list says that nothing is there.
        place_m: the answer as (x, y, z) in metres in the suite's world frame, for suites that ask
            for a place in the world.
        extra: whatever else the runner notes (scores of points, steps ...), JSON-ready.
    """

    suite: str
    split: str
    id: str
    model: str
    family: str
    prompt: str
    raw_answer: str
    status: str = OK
    error: str = ""
    seconds: float = 0.0
    image_size: tuple[int, int] = (0, 0)
    points: tuple[Point, ...] | None = None
    place_m: tuple[float, float, float] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells its item from all others."""
        return self.suite, self.split, self.id

    def line(self) -> bytes:
        """Return it as one line of JSON, newline included."""
        return json_line({item.name: getattr(self, item.name) for item in fields(self)})

    @classmethod
    def from_json(cls, values: Any) -> Record:
        """Return the record that `line` wrote; raises ValueError where it is none."""
        if not isinstance(values, dict):
            raise ValueError("it is not an object")
        names = {item.name for item in fields(cls)}
        if unknown := set(values) - names:
            raise ValueError(f"it has the unknown field {sorted(unknown)[0]!r}")
        wrong = [name for name in _TEXTS if not isinstance(values.get(name, ""), str)]
        if wrong or not set(values) >= _REQUIRED:
            missing = wrong or sorted(_REQUIRED - set(values))
            raise ValueError(f"it has no text in {missing[0]!r}")
        if not isinstance(values.get("extra", {}), dict):
            raise ValueError("its 'extra' is not an object")
        try:
            width, height = values.get("image_size", (0, 0))
            points, place = values.get("points"), values.get("place_m")
            return cls(
                **{
                    **values,
                    "seconds": float(values.get("seconds", 0.0)),
                    "image_size": (int(width), int(height)),
                    "points": None
                    if points is None
                    else tuple((float(x), float(y)) for x, y in points),
                    "place_m": None if place is None else _place(place),
                }
            )
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("its numbers cannot be read") from error


_TEXTS = ("suite", "split", "id", "model", "family", "prompt", "raw_answer", "status", "error")
_REQUIRED = {"suite", "split", "id", "model", "family", "prompt", "raw_answer"}


@dataclass(frozen=True)
class Recording:
    """A file of records.

    Attributes:
        settings: how they were made, from its first line; {} for files of others.
        records: in the order of the file.
        cut_off: whether the last line was cut off, and left out.
    """

    settings: Mapping[str, Any]
    records: tuple[Record, ...]
    cut_off: bool = False


def json_line(values: Mapping[str, Any]) -> bytes:
    """Return one line of JSON, newline included."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which a server may send as an escape
        return f"{json.dumps(values, separators=(',', ':'))}\n".encode()


def header(settings: Mapping[str, Any]) -> bytes:
    """Return the first line of a file of records."""
    return json_line({"robo_refer_bench": FORMAT, **settings})


def read_records(path: Path) -> Recording:
    """Return the records of a file.

    Raises:
        RoboReferError: BAD_FILE when it is missing, of another version or something else, or when
            a line that is not the last is damaged.
    """
    lines, cut_off = read_lines(path)
    if not lines:
        raise bad_file(path, "holds no answers")
    settings = _object(path, 1, lines[0])
    if settings.pop("robo_refer_bench", None) != FORMAT:
        raise bad_file(path, "was not written by this version of 'robo-refer bench run'")
    records: list[Record] = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            records.append(Record.from_json(_object(path, number, line)))
        except ValueError as error:
            raise bad_file(path, f"is damaged in line {number}: {error}") from error
    return Recording(settings, tuple(records), cut_off)


def read_lines(path: Path) -> tuple[list[bytes], bool]:
    """Return the whole lines of a file, and whether a last one was cut off and left out.

    Raises:
        RoboReferError: BAD_FILE when it cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise bad_file(path, f"cannot be read: {error.strerror}") from error
    lines = [line for line in data.split(b"\n") if line.strip()]
    if lines and not data.endswith(b"\n") and not _is_json(lines[-1]):
        return lines[:-1], True
    return lines, False


def bad_file(path: Path, reason: str) -> RoboReferError:
    """Return the error about a file of answers."""
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {reason}.",
        "Give a file written by 'robo-refer bench run --out', or the released evaluator's own.",
    )


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise bad_file(path, f"is damaged in line {number}: it is no JSON") from error
    if not isinstance(values, dict):
        raise bad_file(path, f"is damaged in line {number}: it is not an object")
    return values


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _place(values: Any) -> tuple[float, float, float]:
    x, y, z = values
    return float(x), float(y), float(z)
