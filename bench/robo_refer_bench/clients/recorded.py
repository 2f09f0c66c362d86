"""Answers that were written before, as a client: any JSON lines with an id and an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from robo_refer.errors import ErrorCode, RoboReferError
from robo_refer.parsing import family
from robo_refer.types import Frame
from robo_refer_bench.clients.base import Asked, LoadFrame, Reply
from robo_refer_bench.clients.engine import place_of, rounded
from robo_refer_bench.fingerprint import fingerprint
from robo_refer_bench.records import bad_file, read_lines
from robo_refer_bench.suites.base import ChoiceTruth

ID_FIELDS = ("id", "question_id")
ANSWER_FIELDS = ("raw_answer", "answer", "text", "response")
"""Names that items and answers go by; the first that is there counts."""

NO_ANSWER = "no_answer"


class RecordedClient:
    """Answers by looking them up.

    Every line is an object with one of `ID_FIELDS`, one of `ANSWER_FIELDS`, and, where ids alone
    do not tell, "suite" and "split". The released evaluator's files are such. Items without a line
    are misses with the status "no_answer".

    Args:
        path: the file.
        family_name: how its answers are written.
        name: of the model; "" for that of the file.

    Raises:
        RoboReferError: BAD_FILE for a line that is none, or two answers to one item.
    """

    workers, by_picture, sees_depth = 1, True, False

    def __init__(self, path: Path, family_name: str, name: str = "") -> None:
        self.model, self.family = name or path.stem, family_name
        self.fingerprint = fingerprint([path])
        self.settings: Mapping[str, Any] = {}
        self._family = family(family_name)
        self._answers = _answers(path)

    def ask(self, items: Sequence[Asked], load_frame: LoadFrame) -> list[Reply]:
        """Return the replies that the file has; see `Client.ask`."""
        frame = load_frame()
        return [self._reply(asked, frame) for asked in items]

    def close(self) -> None:
        """Nothing is ever in flight."""

    def _reply(self, asked: Asked, frame: Frame) -> Reply:
        suite, split, name = asked.key
        size = (frame.width, frame.height)
        for key in ((suite, split, name), ("", split, name), (suite, "", name), ("", "", name)):
            if key in self._answers:
                text = self._answers[key]
                break
        else:
            return Reply(status=NO_ANSWER, error="The file has no answer to it.", image_size=size)
        if isinstance(asked.item.truth, ChoiceTruth):
            return Reply(raw_answer=text, image_size=size)
        try:
            points = self._family.read(text, *size).points
        except RoboReferError as error:
            status = error.code.name.lower()
            return Reply(raw_answer=text, status=status, error=error.message, image_size=size)
        place_m = place_of(asked.item, points, frame)
        return Reply(raw_answer=text, points=rounded(points), place_m=place_m, image_size=size)


def _answers(path: Path) -> dict[tuple[str, str, str], str]:
    lines, _ = read_lines(path)
    found: dict[tuple[str, str, str], str] = {}
    for number, line in enumerate(lines, start=1):
        values = _object(path, number, line)
        if "robo_refer_bench" in values:
            continue  # the first line of a file of ours says how it was made
        name = next((values[field] for field in ID_FIELDS if field in values), None)
        written = [values[field] for field in ANSWER_FIELDS if field in values]
        if not isinstance(name, str | int) or not written or not isinstance(written[0], str):
            raise bad_file(path, f"has no id, or no answer as text, in line {number}")
        key = (str(values.get("suite", "")), str(values.get("split", "")), str(name))
        if key in found:
            raise RoboReferError(
                ErrorCode.BAD_FILE,
                f"{path} answers {name!r} twice, again in line {number}.",
                "Give every line the names of its suite and split, or remove one.",
            )
        found[key] = written[0]
    return found


def _object(path: Path, number: int, line: bytes) -> Mapping[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise bad_file(path, f"is damaged in line {number}: it is no JSON") from error
    if not isinstance(values, dict):
        raise bad_file(path, f"is damaged in line {number}: it is not an object")
    return values
