"""Raw predictions: one JSON line per question, with everything needed to score it again.

The first line says how they were made. A run that was stopped is continued only under the very
same first line, so that a file never mixes two models or two settings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from robo_refer.data import Rle
from robo_refer.errors import ErrorCode, RoboReferError

FORMAT = 1


@dataclass(frozen=True)
class RunSettings:
    """How predictions were made; two runs with equal settings give equal files.

    Attributes:
        model: the model as it was asked for.
        model_hash, data_hash: of the files, see `fingerprint`.
        data: name of the dataset's folder.
        half, depth, think, limit: the options of `bench run`.
        controls: names of the controls that were scored.
    """

    model: str
    model_hash: str
    data: str
    data_hash: str
    half: str
    depth: str
    think: bool
    limit: int | None
    controls: tuple[str, ...]


@dataclass(frozen=True)
class Prediction:
    """One answered question.

    Attributes:
        sample, question: id of the frame, and which of its questions (0-based).
        asked: how many questions of this frame the run asks.
        kind, family, hops, text, tags: of the question.
        half: "natural", "decorrelated" or "".
        mask: the pixels that count as a hit, None when the referent is absent.
        status: of the `Referral`: "ok", "no_target", "unparsable_answer" ...
        points: the answer's points, (x, y) in [0, 1].
        scores: the model's confidence in each.
        steps: the reasoning, as in `Referral.as_dict`.
        raw_answer: as the model wrote it.
        hit: whether it was right.
        control_points: what every control answered.
        control_hits: the controls that were right.
    """

    sample: str
    question: int
    asked: int
    kind: str
    family: str
    hops: int
    half: str
    text: str
    tags: dict[str, Any]
    mask: Rle | None
    status: str
    points: list[list[float]]
    scores: list[float | None]
    steps: list[dict[str, Any]]
    raw_answer: str
    hit: bool
    control_points: dict[str, list[list[float]]]
    control_hits: list[str]

    @property
    def item(self) -> str:
        """The question's name, by which two runs are paired."""
        return f"{self.sample}/{self.question}"

    @property
    def refused(self) -> bool:
        """Whether the model said that nothing is there."""
        return self.status == "no_target"


class PredictionLog:
    """The file of a run, or only memory when there is no path.

    Opening it keeps the frames that an earlier run finished, and cuts off a last one that it did
    not.

    Args:
        path: the file, None for none.
        settings: of this run.

    Raises:
        RoboReferError: BAD_REQUEST when the file is of a run with other settings, BAD_FILE when
            it is something else or cannot be written.
    """

    def __init__(self, path: Path | None, settings: RunSettings) -> None:
        self._path = path
        self.predictions: list[Prediction] = []
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._resume(path, settings)
        except OSError as error:
            raise _bad_file(path, f"cannot be written: {error.strerror}") from error

    def add(self, frame: Sequence[Prediction]) -> None:
        """Append the predictions of one whole frame."""
        self.predictions += frame
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(b"".join(_line(asdict(prediction)) for prediction in frame))

    def _resume(self, path: Path, settings: RunSettings) -> None:
        header = _line({"robo_refer_bench": FORMAT, **asdict(settings)})
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        if not any(line.endswith(b"\n") for line in lines):
            # A new file, or one whose very first line was cut short (and nothing else).
            if lines and not header.startswith(lines[0]):
                raise _bad_file(path, "exists and holds no predictions")
            path.write_bytes(header)
            return
        if lines[0] != header:
            raise _other_run(path, _settings(path, lines[0]), settings)
        kept = _whole_frames(path, lines[1:])
        self.predictions = kept
        size = sum(len(line) for line in lines[: 1 + len(kept)])
        with path.open("r+b") as file:
            file.truncate(size)


def read_predictions(path: Path) -> tuple[RunSettings, list[Prediction]]:
    """Return the settings and the predictions of the frames that were finished.

    Raises:
        RoboReferError: BAD_FILE when it is missing, damaged or something else.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise _bad_file(path, f"cannot be read: {error.strerror}") from error
    if not lines:
        raise _bad_file(path, "is empty")
    return _settings(path, lines[0]), _whole_frames(path, lines[1:])


def _line(values: dict[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _settings(path: Path, line: bytes) -> RunSettings:
    try:
        values = json.loads(line)
        if values.pop("robo_refer_bench") != FORMAT:
            raise _bad_file(path, "was written by another version of 'robo-refer bench run'")
        values["controls"] = tuple(values["controls"])
        return RunSettings(**values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _bad_file(path, "does not begin as a file of predictions") from error


def _whole_frames(path: Path, lines: Sequence[bytes]) -> list[Prediction]:
    """Return the predictions up to the last frame of which all are there."""
    found: list[Prediction] = []
    for number, line in enumerate(lines, start=2):
        if not line.endswith(b"\n"):
            break  # cut short when the run was stopped
        try:
            found.append(Prediction(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise _bad_file(path, f"is damaged in line {number}") from error
    if found:
        last = [prediction for prediction in found if prediction.sample == found[-1].sample]
        if len(last) < last[0].asked:
            return found[: -len(last)]
    return found


def _other_run(path: Path, then: RunSettings, now: RunSettings) -> RoboReferError:
    changed = [
        f"{item.name} {getattr(then, item.name)} then, {getattr(now, item.name)} now"
        for item in fields(RunSettings)
        if getattr(then, item.name) != getattr(now, item.name)
    ]
    return RoboReferError(
        ErrorCode.BAD_REQUEST,
        f"{path} holds predictions of another run ({'; '.join(changed)}).",
        "Name another file with --out, or remove that one.",
    )


def _bad_file(path: Path, reason: str) -> RoboReferError:
    return RoboReferError(
        ErrorCode.BAD_FILE,
        f"{path} {reason}.",
        "Give a file written by 'robo-refer bench run --out'.",
    )
